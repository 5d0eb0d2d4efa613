"""Wake-word models as `kws run --keyword` makes them, each kept in a folder of its own.

A kept folder holds what the pipeline's MicroConverter wrote (`model.tflite`, `labels.txt`,
`frontend.json`, `conversion.json`), `evaluation.json` and `detector.json` of its StreamingEvaluator
with the thresholds of the sensitivities, and `run.json`. A model that its gates refused is kept
like any other: the benchmark is to say how far it is off.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.wake_word_streams import NOISES
from kws.detection.params import DetectorParams
from kws.errors import KwsError
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER
from kws.splits import TRAIN

RUN_FILE, EVALUATION_FILE, DETECTOR_FILE = "run.json", "evaluation.json", "detector.json"
PUSHED, REFUSED = 0, 2
"""Exit statuses of `kws run`."""
OPERATING_POINT = "operating point"
"""In place of sensitivities where a preset names none."""


class Part(NamedTuple):
    """A part of the preset's recipe that can be taken away.

    Attributes:
      settings: `--set` of `kws run` that take it away.
      reason: what it is there for.
    """

    settings: tuple[str, ...]
    reason: str


PARTS = {
    "pretraining": Part(
        ("model.options.pretrained=false",),
        "real people have taught the layers what speech is before voices teach the word",
    ),
    "average": Part(
        ("training.schedule=cosine", "training.weight_average=0.997"),
        "each training alone has false accepts of its own; averaged weights share them less",
    ),
    "teacher": Part(
        ("training.spotting.teacher=null",),
        "heads on a pretrained embedding know strangers better than a small network's labels do",
    ),
    "logits": Part(
        ("training.spotting.logit_weight=0",),
        "a teacher's logits tell how much of the word is in other sounds, its posteriors do not",
    ),
    "other-words": Part(
        (
            "voices.kokoro_unknown_takes=0.04",
            "voices.kokoro_sentences=[0, 0, 0]",
            "voices.bulk_sentences=800",
            "voices.hibari_takes=12",
        ),
        "if a voice says little else, the voice itself is taken as evidence for the word",
    ),
    "splices": Part(
        ("training.spotting.splice_share=0",),
        "sequences of sounds that nobody said are more of what the word must not be taken for",
    ),
    "babble": Part(
        ("noisy_copies.babble_share=0", "noisy_copies.single_talker_share=0"),
        "a device stands where people talk",
    ),
    "channel-dropout": Part(
        ("training.spotting.teacher.channel_dropout=0",),
        "no head may rest on a few channels of the embedding",
    ),
    "whole-words": Part(
        ("noisy_copies.partial_copies=2",),
        "parts of the voices' words, as negatives, teach finer differences than people keep to",
    ),
    "context": Part(
        ("noisy_copies.talk_before_share=0",),
        "the word follows on other speech as often as on silence",
    ),
    "coloured-noise": Part(
        ("noisy_copies.coloured_noise_share=0",),
        "noise that no recording holds",
    ),
    "rooms": Part(
        ("noisy_copies.augment.reverb_share=0",),
        "a device is metres away from who speaks",
    ),
    "sentences": Part(
        (
            "voices.negative_sentences=[0, 0, 0]",
            "voices.kokoro_sentences=[0, 0, 0]",
            "voices.bulk_sentences=0",
        ),
        "speech is mostly not single words",
    ),
    "accents": Part(("voices.accents=false",), "voices pronounce alike, people do not"),
    "warp": Part(
        ("training.channel_warp=0",),
        "vocal tracts differ in length, and voices are few",
    ),
    "masks": Part(
        ("training.time_mask_frames=0", "training.channel_mask=0"),
        "what one frame or channel says must not decide alone",
    ),
}


class Kept(NamedTuple):
    """A kept folder, read.

    Attributes:
      folder: of the int8 model.
      detector: its rule and smoothing.
      sensitivities: threshold by name, the least sensitive first.
      default: the one of them that a device starts with.
      pushed: whether the model passed its gates; None where that is not known.
    """

    folder: Path
    detector: DetectorParams
    sensitivities: dict[str, float]
    default: str
    pushed: bool | None


def train(
    word: str,
    seed: int,
    folder: Path,
    out: Path,
    *,
    preset: str | None = None,
    tier: str | None = None,
    settings: Sequence[str] = (),
) -> None:
    """Runs the whole pipeline for a word and keeps its model.

    Args:
      word: the keyword.
      seed: of everything that is drawn.
      folder: where the model is kept.
      out: of the run; what it holds is reused as any run's.
      preset, tier, settings: as of `kws run`.

    Raises:
      KwsError: the run failed, with its last lines.
    """
    command = [sys.executable, "-m", "kws", "run", "--keyword", word, "--out", str(out)]
    command += ["--preset", preset] if preset else []
    command += ["--tier", tier] if tier else []
    for value in (f"seed={seed}", *settings):
        command += ["--set", value]
    started = time.monotonic()
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode not in (PUSHED, REFUSED):
        last = "\n".join((ran.stdout + ran.stderr).strip().splitlines()[-20:])
        raise KwsError(f"{' '.join(command[1:])} ended with status {ran.returncode}:\n{last}")
    (metadata,) = out.glob("*/metadata.sqlite")
    from pipeline.runs.results import newest_run

    run = newest_run(metadata)
    shutil.copytree(run.step("MicroConverter").folder("model") / "Format-Serving", folder)
    for name in (EVALUATION_FILE, DETECTOR_FILE):
        shutil.copy(run.step("StreamingEvaluator").folder("evaluation") / name, folder)
    note = {
        "word": word,
        "seed": seed,
        "preset": preset,
        "tier": tier,
        "settings": list(settings),
        "pushed": ran.returncode == PUSHED,
        "seconds": round(time.monotonic() - started, 1),
    }
    (folder / RUN_FILE).write_text(json.dumps(note, indent=2) + "\n")


def read(folder: Path) -> Kept:
    """Reads a kept folder.

    Raises:
      KwsError: it is not one.
    """
    for name in (EVALUATION_FILE, DETECTOR_FILE):
        if not (folder / name).is_file():
            raise KwsError(f"{folder / name} does not exist", hint="keep models with --keep")
    detector = DetectorParams.from_json((folder / DETECTOR_FILE).read_text())
    named: dict[str, Any] = json.loads((folder / EVALUATION_FILE).read_text()).get(
        "sensitivities",
        {
            "default": OPERATING_POINT,
            "points": {OPERATING_POINT: {"detection_threshold": detector.detection_threshold}},
        },
    )
    note = folder / RUN_FILE
    return Kept(
        folder=folder,
        detector=detector,
        sensitivities={
            name: point["detection_threshold"] for name, point in named["points"].items()
        },
        default=named["default"],
        pushed=json.loads(note.read_text())["pushed"] if note.is_file() else None,
    )


def without(parts: Sequence[str]) -> list[str]:
    """The settings that take these parts of the recipe away."""
    return [value for part in parts for value in PARTS[part].settings]


def with_recordings(unpacked: Path, links: Path) -> list[str]:
    """The setting that adds recordings of other things than the word.

    They are an hour of LibriSpeech's training part, the sounds that `benchmarks.recordings` gave to
    training, and Speech Commands' background noises, but those that are conditions of the test. The
    product divides them into its splits itself.

    Args:
      unpacked: see `benchmarks.wake_words`.
      links: folder for links to them.
    """
    commands = unpacked / "speech_commands"
    conditions = {name for name, _ in NOISES.values()}
    noises = [
        path
        for path in sorted((commands / BACKGROUND_FOLDER).glob("*.wav"))
        if path.stem not in conditions
    ]
    sounds = commands / NEGATIVES_FOLDER / TRAIN / "sounds.wav"
    speech = unpacked / "negatives" / "librispeech_train.wav"
    for folder, paths in (("negatives", [speech, sounds]), ("backgrounds", [*noises, sounds])):
        (links / folder).mkdir(parents=True)
        for path in paths:
            if not path.is_file():
                raise KwsError(f"{path} does not exist", hint="run benchmarks.recordings first")
            (links / folder / path.name).symlink_to(path.resolve())
    return [
        "data.sources=[{voices: true}, {name: recorded, "
        f"negatives: {links / 'negatives'}, backgrounds: {links / 'backgrounds'}}}]"
    ]
