"""What synthesized voices are worth beside recordings: eight command words, judged on people.

    python -m benchmarks.voices_worth DATA [--steps 2000] [--only NAME ...]

DATA is a folder in the layout of Speech Commands, as for `kws run --preset speech_commands
--data`. Four corpora, the same model, the same number of training steps (to the nearest epoch),
the preset `speech_commands_windowed` otherwise: voices alone, recordings alone, recordings and
voices, and recordings with synthesized other words and confusables only. It prints the accuracy of
the int8 model on the clean recordings of the official validation list, whose speakers no training
heard.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import harness, recipe
from kws import features
from kws.audio.clip import Clip
from kws.detection.rates import share
from kws.features import clip_features
from kws.labels import UNKNOWN
from kws.runtime.tflite_model import Int8Model
from kws.splits import TEST, TRAIN
from pipeline import config as configuration
from pipeline.config import Config

MODEL = "model.options={first_kernel: [5, 40], first_stride: [2, 40], filters: 56, blocks: 6}"
UNKNOWN_WORDS = """bed, cat, happy, light, music, weather, follow, learn, visual, backward, table,
    window, coffee, garden, lift, step, shop, storm, lot, tight, fort"""
"""Three that the recordings have as well, and none of those that they have a few clips of."""
VOICES = (
    f"voices.unknown_words=[{UNKNOWN_WORDS}]",
    "voices.near_words=12",
    "voices.near_word_takes=0",
    "voices.hibari_keyword_takes=60",
    "voices.hibari_takes=20",
)
RECIPE = (
    "ingest.negatives_percentage=40",
    "ingest.lead_in_ms=0",
    "noisy_copies.copies=1",
    "noisy_copies.time_shift_ms=100",
    "noisy_copies.augment={}",
    "training.weight_average=0",
    "training.label_smoothing=0",
    "training.time_shift_frames=5",
)
"""What differs from the preset, whose recipe is for streams; here clips are judged."""
CORPORA = ("voices", "recordings", "both", "others")
NO_KEYWORDS = ("voices.kokoro_takes=0", "voices.hibari_keyword_takes=0")


def arrangements(data: Path, overrides: Sequence[str]) -> dict[str, Config]:
    """The preset on each of `CORPORA`; `overrides` come last."""
    recordings, voices = f"{{speech_commands: {data.resolve()}}}", "{voices: true}"
    every = "ingest.unknown_percentage=1000"

    def arranged(sources: str, *own: str) -> Config:
        values = [f"data.sources=[{sources}]", MODEL, *RECIPE, *VOICES, *own, *overrides]
        return configuration.load("speech_commands_windowed", values)

    return {
        "voices": arranged(voices, every),
        "recordings": arranged(recordings),
        "both": arranged(f"{recordings}, {voices}", every),
        "others": arranged(f"{recordings}, {voices}", every, *NO_KEYWORDS),
    }


def judge(model: Int8Model, clips: Sequence[Clip], rows: np.ndarray) -> None:
    """Prints the accuracy over all clips, and by what a clip is."""
    answers = model.posteriors(rows).argmax(axis=1)
    right = np.array([model.labels[a] == c.label for a, c in zip(answers, clips, strict=True)])
    rare = {"bed", "cat", "happy"}
    parts = {
        "all": np.ones(len(clips), bool),
        "keywords": np.array([c.novelty == "keyword" for c in clips]),
        "bed, cat, happy": np.array([c.label == UNKNOWN and c.word in rare for c in clips]),
        "words never heard": np.array([c.label == UNKNOWN and c.word not in rare for c in clips]),
    }
    for name, chosen in parts.items():
        print(f"  {name}: {share(int(right[chosen].sum()), int(chosen.sum()))}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains and judges each arrangement."""
    parser = harness.Parser("voices_worth", __doc__)
    parser.add_argument("data", type=Path, help="in the layout of Speech Commands")
    parser.add_argument("--steps", type=int, default=2000, help="of training, to the nearest epoch")
    parser.add_argument("--workers", type=int, default=2, help="processes that synthesize")
    parser.add_argument("--only", nargs="*", choices=CORPORA, help="corpora; none: all")
    parser.add_argument("--set", action="append", default=[], help="as of `kws run`, for all")
    args = parser.parse_args(arguments)
    configs = arrangements(args.data, args.set)
    reference = configs["recordings"]
    clips = list(recipe.clean_clips(reference, *recipe.planned(reference), TEST))
    rows = np.stack(clip_features.features_of(clips, features.create(reference.features)))
    for name, config in configs.items():
        if args.only and name not in args.only:
            continue
        data = recipe.datasets(config, args.workers)
        an_epoch = data[TRAIN].steps_per_epoch(config.training.batch_size)
        training = config.training.model_copy(
            update={"epochs": max(1, round(args.steps / an_epoch))}
        )
        model, history, parameters = recipe.int8_model(config, data, training)
        print(
            f"{name}: {len(data[TRAIN])} examples, {history.steps} steps, {parameters} parameters, "
            f"{history.seconds:.0f} s",
            flush=True,
        )
        assert isinstance(model, Int8Model)  # MODEL is windowed
        judge(model, clips, rows)


if __name__ == "__main__":
    harness.start(main)
