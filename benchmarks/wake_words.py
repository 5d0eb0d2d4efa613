"""What a wake word made of synthesized voices alone is worth on real speech.

    python -m benchmarks.wake_words UNPACKED computer jarvis [--recordings] [--det FOLDER] [--tflm]

UNPACKED holds `wake_words/<word>/*.wav` (one recording of the word a file), `negatives/` and
`speech_commands/`, and `benchmarks.recordings` has been run on it. Trained is the preset `keyword`
(see `benchmarks.recipe`); with `--recordings` an hour of LibriSpeech, a third of ESC-10 and the
background noises of Speech Commands join it, but never a recording of the word. The int8 model is
run over every recording of the word, and over hours in which nobody says it: LibriSpeech's
evaluation part and the rest of ESC-10; and the words of half of Speech Commands' speakers, one a
second. Printed are the misses at the lowest thresholds that keep to so many false accepts an hour
in the speech and sounds: the thresholds are chosen there, so the misses are what they are for.
`--det` draws DET and ROC over the word's recordings, the speech and the sounds together; `--tflm`
listens through TensorFlow Lite Micro's interpreter.
"""

import argparse
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import recipe
from kws import features
from kws.audio.splits import speaker_of
from kws.augment.activity import active_speech
from kws.augment.background import loop_period
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER
from kws.micro.load import Int8Any
from kws.scenes.ground_truth import GroundTruth, Word
from kws.splits import EVAL, TEST
from kws.streaming.det import DetPoint, det_curves
from kws.streaming.evaluate import StreamPosteriors, evaluate_streams
from kws.streaming.params import DetectorParams, MatchParams
from kws.streaming.posteriors import stream_posteriors
from kws.streaming.rates import MS_PER_HOUR, hourly_rate, share
from pipeline import config as configuration

RATE = 16000
LEAD_S, TAIL_S = 1.5, 1.0
CHUNK_S = 600
TARGETS_PER_HOUR = (1.3, 0.5, 0.2, 0.1)
DRAWN_TARGET = 0.5
THRESHOLDS = sorted({*np.linspace(0.02, 0.9, 177).round(4), *np.linspace(0.9, 0.997, 98).round(4)})


def word_streams(folder: Path, word: str) -> Iterator[tuple[np.ndarray, GroundTruth]]:
    """One stream a recording, between loops of its own edges: a device hears no sudden start."""
    for path in sorted(folder.glob("*.wav")):
        audio, rate = soundfile.read(path, dtype="int16")
        assert rate == RATE, f"{path} is at {rate} Hz"
        said = active_speech(audio, RATE)
        before = audio[: max(1600, said.start - 3200)]
        after = audio[min(len(audio) - 1600, said.stop + 3200) :]
        lead = np.resize(loop_period(before), int(LEAD_S * RATE))
        tail = np.resize(loop_period(after), int(TAIL_S * RATE))
        start_ms = len(lead) * 1000 // RATE
        spoken = Word(
            label=word,
            word=word,
            start_ms=start_ms + said.start * 1000 // RATE,
            end_ms=start_ms + said.stop * 1000 // RATE,
            speaker=path.stem,
            source="recordings",
            clip_id=path.stem,
        )
        stream = np.concatenate([lead, audio, tail])
        yield stream, _truth(path.stem, stream, (spoken,))


def negative_streams(paths: Sequence[Path], name: str) -> Iterator[tuple[np.ndarray, GroundTruth]]:
    """Recordings one after the other, in streams of ten minutes."""
    audio = np.concatenate([soundfile.read(path, dtype="int16")[0] for path in paths])
    for number, start in enumerate(range(0, len(audio), CHUNK_S * RATE)):
        chunk = audio[start : start + CHUNK_S * RATE]
        yield chunk, _truth(f"{name}-{number}", chunk, ())


def _truth(name: str, audio: np.ndarray, words: tuple[Word, ...]) -> GroundTruth:
    return GroundTruth(
        stream_id=name,
        kind="words" if words else "negatives",
        duration_ms=len(audio) * 1000 // RATE,
        sample_rate=RATE,
        words=words,
    )


def half_of_the_speakers(folder: Path) -> list[Path]:
    """Speech Commands' clips of every other speaker, mixed."""
    paths = [
        path
        for path in sorted(folder.glob("[!_]*/*.wav"))
        if hashlib.sha1(speaker_of(path.name).encode()).digest()[0] % 2 == 0
    ]
    return [paths[i] for i in np.random.default_rng(1).permutation(len(paths))]


Heard = Iterator[tuple[np.ndarray, GroundTruth]]


def judge(
    model: Int8Any, word: str, unpacked: Path, detector: DetectorParams, det: Path | None
) -> None:
    """Prints misses and false accepts of one word's model; `det` is the folder for its picture."""
    frontend = features.create(model.feature_params)
    kept: list[StreamPosteriors] = []

    def table(streams: Heard, keep: bool = True) -> tuple[list[DetPoint], float]:
        scored = []
        for audio, truth in streams:
            times_ms, rows = stream_posteriors(model, frontend, audio, detector.clip_stride_ms)
            scored.append(StreamPosteriors(truth=truth, times_ms=times_ms, posteriors=rows))
        kept.extend(scored if keep else ())
        hours = sum(stream.truth.duration_ms for stream in scored) / MS_PER_HOUR
        curves = det_curves(scored, model.labels, detector, MatchParams(), THRESHOLDS)
        return curves.total.points, hours

    negatives, recordings = unpacked / "negatives", unpacked / "wake_words" / word
    words = len(list(recordings.glob("*.wav")))
    said, _ = table(word_streams(recordings, word))
    sounds = unpacked / "speech_commands" / NEGATIVES_FOLDER
    speech = [negatives / "librispeech_dev.wav"]
    speech += [sounds / split / "sounds.wav" for split in (EVAL, TEST)]
    quiet, hours = table(negative_streams(speech, "speech-and-sounds"))
    others, other_hours = table(
        negative_streams(half_of_the_speakers(unpacked / "speech_commands"), "single-words"),
        keep=False,
    )
    print(f"{word}: {words} recordings; {hours:.2f} h of speech and sounds; {other_hours:.2f} h of")
    print("single words")
    for target in TARGETS_PER_HOUR:
        chosen = next((i for i, p in enumerate(quiet) if p.false_accepts <= target * hours), None)
        if chosen is None:
            print(f"  at most {target:g} /h: no threshold")
            continue
        print(
            f"  at most {target:g} /h: threshold {quiet[chosen].threshold:.3f}, "
            f"misses {share(said[chosen].misses, words)}, "
            f"false accepts {hourly_rate(quiet[chosen].false_accepts, hours)}, "
            f"in single words {hourly_rate(others[chosen].false_accepts, other_hours)}"
        )
        if det is not None and target == DRAWN_TARGET:
            _draw(kept, model.labels, _at(detector, quiet[chosen]), word, det)


def _at(detector: DetectorParams, point: DetPoint) -> DetectorParams:
    return detector.model_copy(update={"detection_threshold": point.threshold})


def _draw(
    heard: list[StreamPosteriors],
    labels: list[str],
    detector: DetectorParams,
    word: str,
    folder: Path,
) -> None:
    from kws.report import det

    folder.mkdir(parents=True, exist_ok=True)
    report = evaluate_streams(heard, labels, detector, MatchParams())
    (folder / f"{word}.png").write_bytes(det.picture(report, f'"{word}", from voices'))


def settings(word: str, unpacked: Path, recordings: bool, overrides: Sequence[str], links: Path):
    """The preset `keyword` for the word, with or without recordings of other things."""
    values = [f"keywords=[{word}]", *overrides]
    if recordings:
        commands = unpacked / "speech_commands"
        sounds = commands / NEGATIVES_FOLDER / "train" / "sounds.wav"
        speech = unpacked / "negatives" / "librispeech_train.wav"
        noises = sorted((commands / BACKGROUND_FOLDER).glob("*.wav"))
        _link(links / "negatives" / "train", [speech, sounds])
        _link(links / "backgrounds", [*noises, sounds])
        values.append(
            "data.sources=[{voices: true}, {name: recorded, "
            f"negatives: {links / 'negatives'}, backgrounds: {links / 'backgrounds'}}}]"
        )
    return configuration.load("keyword", values)


def _link(folder: Path, recordings: Sequence[Path]) -> None:
    folder.mkdir(parents=True)
    for path in recordings:
        (folder / path.name).symlink_to(path.resolve())


def main() -> None:
    """Trains and judges each word in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("unpacked", type=Path)
    parser.add_argument("words", nargs="+")
    parser.add_argument("--recordings", action="store_true")
    parser.add_argument("--workers", type=int, default=2, help="processes that synthesize")
    parser.add_argument("--det", type=Path, help="folder for a picture of each word")
    parser.add_argument("--tflm", action="store_true", help="through the device's runtime")
    parser.add_argument("--set", action="append", default=[], help="as of `kws run`")
    args = parser.parse_args()
    for word in args.words:
        with tempfile.TemporaryDirectory() as links:
            config = settings(word, args.unpacked, args.recordings, args.set, Path(links))
            data = recipe.datasets(config, args.workers)
            model, history, parameters = recipe.int8_model(
                config, data, config.training, "tflm" if args.tflm else "tflite"
            )
        counts = {split: len(examples) for split, examples in data.items()}
        print(f"{word}: {counts} examples, {parameters} parameters, {history.seconds:.0f} s")
        judge(model, word, args.unpacked, config.streaming.detector, args.det)


if __name__ == "__main__":
    main()
