"""Makes the weights that the keyword preset's network starts from: `kws/models/data/mixed_net.npz`.

    python -m benchmarks.pretraining UNPACKED [--clips 16000] [--epochs 30] [--out FILE]

UNPACKED is as `benchmarks.wake_words` wants it. Clips of 3.2 s are composed of what half of Speech
Commands' speakers say (the other half is for tests), of LibriSpeech's training part, and of sounds;
in rooms, over babble and noise, through microphones and codecs. The network hears them so, and
learns to predict at its steps the speech embedding of the same clips without room, background or
microphone (`kws/training/pretraining.py`). No recording of a wake word, no speaker of Speech
Commands' validation or testing list and nothing else that `benchmarks.wake_words` judges by is
among them. Printed is how much of the embedding's variance it explains on 512 clips that it was
not trained on. All cores compose; the clips are the same however many there are.

Both corpora are under CC BY 4.0, the sounds (ESC-10) under the licences of their authors: see
kws/models/data/NOTICE.
"""

import csv
import dataclasses
import logging
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import harness
from benchmarks.wake_word_streams import NOISES, is_tested
from kws import features, machine
from kws.audio.clip import Clip
from kws.augment.mix import noisy_copy
from kws.augment.params import AugmentParams, NoisyCopyParams
from kws.augment.rooms import room_bank
from kws.corpus.splits import speaker_of
from kws.errors import KwsError
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER, SILENCE, UNKNOWN, label_list
from kws.models import mixed_net, registry
from kws.speech.embedding import embed_clips
from kws.splits import TRAIN
from kws.training import dataset
from kws.training.fit import fit
from kws.training.pretraining import PretrainingObjective, pretraining_form
from pipeline import config as configuration

log = logging.getLogger(__name__)

RATE, SEED = 16000, 100
AT_A_TIME = 100
"""Clips that are composed together, from one seed."""
WORDS_SHARE, SPEECH_SHARE = 0.5, 0.43
"""Of the clips; the rest are sounds without speech."""
HELD_OUT = 512
TALKER_S = 4
COPIES = NoisyCopyParams(
    snr_db=(0, 25),
    quiet_share=0.35,
    quiet_snr_db=(25, 70),
    babble_share=0.25,
    single_talker_share=0.05,
    coloured_noise_share=0.1,
    gain_db=(-25, 6),
    lead_in_ms=1000,
    augment=AugmentParams(
        speed_share=0.6,
        speed=(0.85, 1.18),
        tempo_share=0.5,
        tempo=(0.8, 1.25),
        pitch_share=0.3,
        pitch_semitones=(-3, 3),
        reverb_share=0.4,
        equalizer_share=0.6,
        codec_share=0.1,
    ),
)
UNSPOILT_SNR_DB = (60.0, 60.0)
UNSPOILT = COPIES.model_copy(
    update={
        "snr_db": UNSPOILT_SNR_DB,
        "quiet_snr_db": UNSPOILT_SNR_DB,
        "augment": COPIES.augment.model_copy(
            update={"reverb_share": 0.0, "equalizer_share": 0.0, "codec_share": 0.0}
        ),
    }
)
"""The same voices at the same places and levels, without what came between them and the device."""
ROOMS = 60
SETTINGS = (
    "model.options.pretrained=false",
    "model.options.dropout=0",  # what is to be told of a clip is a great deal more than a label
    "model.options.filter_dropout=0",
    "training.schedule=cosine",
    "training.learning_rate=0.003",
    "training.weight_average=0.997",
    "training.time_shift_frames=0",
)
"""Where it differs from the preset's training."""


class Composer:
    """Makes clips of what is in a folder of recordings."""

    def __init__(self, unpacked: Path, seconds: float, rooms: int):
        """Args:
        unpacked: see above.
        seconds: of a clip.
        rooms: that are simulated.

        Raises:
          KwsError: recordings are missing.
        """
        commands, negatives = unpacked / "speech_commands", unpacked / "negatives"
        judges = _listed_speakers(commands)
        self.words = [
            path
            for path in sorted(commands.glob("[!_]*/*.wav"))
            if not is_tested(path) and speaker_of(path.name) not in judges
        ]
        if not self.words:
            raise KwsError(f"{commands} holds no WAV files of words")
        self._talkers = _talkers(negatives)
        sounds = _read(commands / NEGATIVES_FOLDER / TRAIN / "sounds.wav")
        conditions = {name for name, _ in NOISES.values()}
        noises = sorted((commands / BACKGROUND_FOLDER).glob("*.wav"))
        self._sounds = [sounds] * 3 + [_read(p) for p in noises if p.stem not in conditions]
        self._rooms = room_bank(7, TRAIN, rooms)
        self._samples = int(seconds * RATE)

    def clip(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A clip as it is heard and as it would be unspoilt: each int16 `[samples]`, a lead-in of a
        second included."""
        kind = rng.uniform()
        label = UNKNOWN
        if kind < WORDS_SHARE:
            audio = self._some_words(rng)
        elif kind < WORDS_SHARE + SPEECH_SHARE:
            audio = self._cut(self._talkers, rng)
        else:
            audio, label = self._cut(self._sounds, rng), SILENCE
        clip = Clip(
            audio=np.ascontiguousarray(audio),
            sample_rate=RATE,
            label=label,
            word="",
            speaker="",
            source="",
            clip_id="",
            novelty="heard",
        )
        background = self._sounds[rng.integers(len(self._sounds))]
        seed = rng.integers(2**63)
        heard, unspoilt = (
            noisy_copy(
                clip, background, params, np.random.default_rng(seed), self._rooms, self._talkers
            )
            for params in (COPIES, UNSPOILT)
        )
        return heard.audio, unspoilt.audio

    def _cut(self, recordings: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        recording = recordings[rng.integers(len(recordings))]
        start = rng.integers(len(recording) - self._samples)
        return recording[start : start + self._samples].copy()

    def _some_words(self, rng: np.random.Generator) -> np.ndarray:
        """Words of any speakers one after the other, each at a level of its own."""
        audio = np.zeros(self._samples + RATE, np.float32)
        at = int(rng.uniform(0, 0.6) * RATE)
        while at < self._samples:
            word = _read(self.words[rng.integers(len(self.words))])
            gain = 10 ** (rng.uniform(-6, 6) / 20)
            stop = min(len(audio), at + len(word))
            audio[at:stop] += word[: stop - at] * gain
            at += int(len(word) * rng.uniform(0.6, 1.3))
        audio = audio[: self._samples]
        return (audio * min(1, 32000 / np.abs(audio).max())).astype(np.int16)


def pretrain(unpacked: Path, clips: int, out: Path, settings: Sequence[str]) -> float:
    """Composes clips, trains, and writes the weights.

    Returns:
      The share of the variance that is explained on clips that were not trained on.
    """
    config = configuration.load("keyword", [*SETTINGS, *settings])
    params, training, model = config.features, config.training, config.model
    assert model is not None
    heard, embeddings = composed(unpacked, clips, params)
    labels = label_list(config.keywords)
    held_out = min(HELD_OUT, clips // 4)
    parts = []
    for part in (slice(held_out, None), slice(held_out)):
        some = heard[part]
        names = [f"{number:06d}" for number in range(len(some))]
        plain = dataset.from_arrays(
            some,
            np.ones(len(some), np.int32),
            names,
            labels,
            model_input.input_scale(params),
            params.frontend,
        )
        targets = embeddings[part].reshape(len(some), -1)
        parts.append(dataclasses.replace(plain, targets=targets))
    spotter = registry.build(
        model,
        params.feature_shape,
        len(labels),
        seed=training.seed,
        context_frames=params.context_frames,
    )
    module = registry.architecture(model.name)
    step = module.frames_per_step(registry.options(model))
    trainee = pretraining_form(spotter)
    objective = PretrainingObjective(trainee, embeddings[held_out:], training, params, step)
    train, held = parts
    training = training.model_copy(update={"batch_size": min(training.batch_size, len(train))})
    history = fit(trainee, train, held, training, objective=objective)
    mixed_net.keep(spotter, out)
    return history.best.eval_accuracy


def composed(unpacked: Path, clips: int, params: FeatureParams) -> tuple[np.ndarray, np.ndarray]:
    """Features `[clips, frames, channels]` of clips as they are heard, and float16 embeddings
    `[clips, embeddings, 96]` of the same unspoilt; composed by a process on each core."""
    sizes = [min(AT_A_TIME, clips - start) for start in range(0, clips, AT_A_TIME)]
    cores = min(machine.cores(), len(sizes))
    # Fresh processes: TensorFlow's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    heard: list[np.ndarray] = []
    embedded: list[np.ndarray] = []
    with ProcessPoolExecutor(cores, context, _begin, (unpacked, params, ROOMS)) as pool:
        for some, said in pool.map(_compose, range(len(sizes)), sizes):
            heard.append(some)
            embedded.append(said)
            log.info("%d of %d clips", sum(map(len, heard)), clips)
    return np.concatenate(heard), np.concatenate(embedded)


_composers: list[tuple[Composer, FeatureParams]] = []
"""The process's own."""


def _begin(unpacked: Path, params: FeatureParams, rooms: int) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    _composers.append((Composer(unpacked, params.clip_duration_ms / 1000, rooms), params))


def _compose(number: int, clips: int) -> tuple[np.ndarray, np.ndarray]:
    ((composer, params),) = _composers
    rng = np.random.default_rng([SEED, number])
    made = [composer.clip(rng) for _ in range(clips)]
    frontend = features.create(params)
    frames, lead_in = params.feature_shape[0], RATE * COPIES.lead_in_ms // 1000
    heard = np.stack([frontend.compute(heard)[-frames:] for heard, _ in made])
    unspoilt = np.stack([unspoilt[lead_in:] for _, unspoilt in made])
    return heard, embed_clips(unspoilt).astype(np.float16)


def _listed_speakers(commands: Path) -> set[str]:
    """Of Speech Commands' validation and testing lists, where there are such."""
    lists = (commands / name for name in ("validation_list.txt", "testing_list.txt"))
    names = [name for path in lists if path.is_file() for name in path.read_text().split()]
    return {speaker_of(Path(name).name) for name in names}


def _talkers(negatives: Path) -> list[np.ndarray]:
    """What each speaker of LibriSpeech's training part says; of those who say enough for a clip."""
    audio = _read(negatives / "librispeech_train.wav")
    said: dict[str, list[np.ndarray]] = {}
    with (negatives / "librispeech_index.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["group"] == TRAIN:
                start = round(float(row["start_s"]) * RATE)
                stop = start + round(float(row["dur_s"]) * RATE)
                said.setdefault(row["speaker"], []).append(audio[start:stop])
    whole = map(np.concatenate, said.values())
    return [speech for speech in whole if len(speech) > TALKER_S * RATE]


def _read(path: Path) -> np.ndarray:
    if not path.is_file():
        raise KwsError(f"{path} does not exist", hint="run benchmarks.recordings first")
    return soundfile.read(path, dtype="int16")[0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Composes, trains, writes and prints."""
    parser = harness.Parser("pretraining", __doc__)
    parser.add_argument("unpacked", type=Path, help="folder of recordings")
    parser.add_argument("--clips", type=int, default=16000, help="that are composed")
    parser.add_argument("--epochs", type=int, default=30, help="over them")
    parser.add_argument("--out", type=Path, default=mixed_net.PRETRAINED, help="file to write")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    explained = pretrain(args.unpacked, args.clips, args.out, [f"training.epochs={args.epochs}"])
    kilobytes = args.out.stat().st_size / 1000
    print(f"{args.out}: {kilobytes:.0f} KB; explains {explained:.1%} of the embedding's variance")


if __name__ == "__main__":
    harness.start(main)
