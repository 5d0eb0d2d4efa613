"""The speech embedding: its speed, what a fixed floor changes, what int8 costs, and the judge.

    python -m benchmarks.speech_embedding [--recordings FOLDER] [--int8 WAV] [--judge FOLDER ...]

`--recordings` is a folder of WAV files at 16 kHz, of which 300 are drawn: for each floor the median
and 90th percentile of the difference to the embeddings with a floor 80 dB below the loudest value,
in per cent of their length; as they are, 20 dB quieter, and between silences. `--int8` is speech,
of which the first minutes calibrate and the last 30 s are measured: the deviation of the embeddings
from their mean over the error, and the size of the file. `--judge` names folders made by `kws say`,
one phrase each: how many clips the judge drops if they are unchanged, corrupted, or of confusable
words. The processor time for embedding noise on one core is always printed.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import harness
from kws import speech
from kws.export import device_form, flatbuffer, rewrites
from kws.models import blocks
from kws.models.causal import Past
from kws.runtime import kernels, tflm
from kws.speech import embedding, judge, network

FLOORS_DB = (-10.0, 0.0, 10.0, 20.0, 30.0)
DRAWN = 300
GOLDEN = Path(__file__).resolve().parents[1] / "tests/kws/speech/testdata/golden.npz"


def print_speed(seconds: int) -> None:
    """Mel frames alone, and embeddings."""
    audio = np.random.default_rng(0).normal(0, 2000, 16000 * seconds).astype(np.int16)
    for function in (speech.mel_frames, speech.embed):
        function(audio[:160000])
        start_s = time.process_time()
        function(audio)
        print(f"{function.__name__}: {seconds / (time.process_time() - start_s):,.0f} x real time")


def print_floors(folder: Path) -> None:
    """A table of differences."""
    files = sorted(folder.rglob("*.wav"))
    drawn = np.random.default_rng(0).permutation(len(files))[:DRAWN]
    clips = [soundfile.read(files[i], dtype="int16")[0] for i in drawn]
    clips = [clip for clip in clips if clip.ndim == 1 and speech.embedding_count(len(clip))]
    silence = np.zeros(8000, np.int16)
    kinds: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "as they are": lambda clip: clip,
        "20 dB quieter": lambda clip: np.round(clip / 10).astype(np.int16),
        "between silences": lambda clip: np.concatenate([silence, clip, silence]),
    }
    print(f"{len(clips)} of {len(files)} recordings; floors {FLOORS_DB} dB")
    for kind, change in kinds.items():
        changed = [change(clip) for clip in clips]
        wanted = np.concatenate([speech.embed(clip, None) for clip in changed])
        cells = []
        for floor_db in FLOORS_DB:
            found = np.concatenate([speech.embed(clip, floor_db) for clip in changed])
            difference = np.linalg.norm(found - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
            median, most = 100 * np.percentile(difference, [50, 90])
            cells.append(f"{median:2.0f} {most:2.0f}")
        print(f"{kind:20}", "   ".join(cells))


def print_int8(recording: Path) -> None:
    """Signal over error, bytes and arena of the embedding alone."""
    import tensorflow as tf

    audio = soundfile.read(recording, dtype="int16")[0]
    calibration = speech.mel_frames(audio[: 16000 * 300])
    # A step ends where a window does: with 4 frames more, at the same frames as the batch.
    mel = speech.mel_frames(audio[-16000 * 30 :])
    for rounded in (False, True):
        past = Past(remembers=True, zeros=False)
        inputs = past.inputs((0, network.MEL_CHANNELS), speech.EMBEDDING_HOP_FRAMES)
        outputs = network.embedding_layers(blocks.image(inputs), past)
        step_form = tf.keras.Model(inputs, tf.keras.layers.Flatten()(outputs))
        network.load_embedding_weights(step_form, int8=rounded)
        whole = speech.embedding_model()
        network.load_embedding_weights(whole, int8=rounded)
        wanted = whole(mel[np.newaxis, 4:, :, np.newaxis]).numpy()[0]
        content = flatbuffer.slim(device_form.streaming_to_tflite(step_form, calibration, tf.int8))
        content = rewrites.fold_offsets(content)
        steps, found = _int8_steps(content, mel)
        error = found[-len(wanted) :] - wanted
        ratio = np.square(wanted - wanted.mean(axis=0)).sum() / np.square(error).sum()
        print(
            f"int8, weights {'rounded before' if rounded else 'as they are'}: "
            f"{10 * np.log10(ratio):.1f} dB, {len(content):,} bytes, "
            f"arena {tflm.run(content, steps[:2]).arena_bytes:,} bytes, "
            f"{sum(flatbuffer.count_operators(content).values())} operators"
        )


def _int8_steps(content: bytes, mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 inputs, and the embeddings of all steps."""
    interpreter = kernels.interpreter(content, 1, reference=True)
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero = source["quantization"]
    steps = np.clip(np.round(mel / scale) + zero, -128, 127).astype(np.int8)
    steps = steps[: len(mel) // 8 * 8].reshape(-1, 8, network.MEL_CHANNELS)
    scale, zero = sink["quantization"]
    found = []
    for step in steps:
        interpreter.set_tensor(source["index"], step[np.newaxis])
        interpreter.invoke()
        found.append(scale * (interpreter.get_tensor(sink["index"])[0].astype(np.float32) - zero))
    return steps, np.array(found)


def print_judged(folders: list[Path]) -> None:
    """Dropped of each kind, over all phrases."""
    counts: dict[str, list[bool]] = {}
    for folder in folders:
        clips = [_read(file) for file in sorted(folder.glob("*.wav"))]
        noise = np.random.default_rng(0).normal(0, 800, len(clips[0])).astype(np.int16)
        changed = {
            "first half": [clip[: len(clip) // 2] for clip in clips[::3]],
            "second half": [clip[len(clip) // 2 :] for clip in clips[1::3]],
            "reversed": [clip[::-1].copy() for clip in clips[2::4]],
            "twice": [np.concatenate([clip, clip]) for clip in clips[::4]],
            "noise": [noise],
            "silence": [np.zeros_like(clips[0])],
            "other words": [_read(file) for file in sorted(folder.glob("near-words/*.wav"))],
        }
        paths = judge.embedding_paths(clips)
        counts.setdefault("as they are", []).extend(judge.judge_paths(paths).outliers)
        for kind, corrupted in changed.items():
            # One at a time: they are rare, and so must not be usual here.
            for clip in corrupted:
                found = judge.judge_paths([*paths, *judge.embedding_paths([clip])])
                counts.setdefault(kind, []).append(bool(found.outliers[-1]))
    for kind, dropped in counts.items():
        print(f"{kind}: {sum(dropped)} of {len(dropped)} dropped")


def _read(file: Path) -> np.ndarray:
    return soundfile.read(file, dtype="int16")[0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the figures that were asked for."""
    parser = harness.Parser("speech_embedding", __doc__)
    parser.add_argument("--recordings", type=Path, help="a folder: what a fixed floor changes")
    parser.add_argument("--int8", type=Path, help="a recording: what int8 costs")
    parser.add_argument("--judge", type=Path, nargs="+", help="folders of kws say")
    parser.add_argument("--seconds", type=int, default=300, help="of noise, for the speed")
    args = parser.parse_args(arguments)
    vectors = np.load(GOLDEN)
    error = np.abs(embedding.embed_frames(vectors["mel"]) - vectors["embeddings"]).max()
    print(f"golden embeddings: largest difference {error:.1e}")
    print_speed(args.seconds)
    if args.recordings:
        print_floors(args.recordings)
    if args.int8:
        print_int8(args.int8)
    if args.judge:
        print_judged(args.judge)


if __name__ == "__main__":
    harness.start(main)
