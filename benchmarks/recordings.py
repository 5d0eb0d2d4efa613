"""Lays out the development recordings for `kws run --preset speech_commands --data ...`.

    python -m benchmarks.recordings UNPACKED

UNPACKED is a folder with `speech_commands/` (Speech Commands layout) and `negatives/`: WAV files
`librispeech_train.wav`, `librispeech_dev.wav` (one after the other the utterances that
`librispeech_index.tsv` lists, with the command words in each transcript) and `esc10.wav` (sounds of
5 s in the order of `esc10_order.txt`). Written is `speech_commands/_negatives_/<split>/`:
utterances whose transcript holds no command word, and sounds; no speaker or recording is shared.
"""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import harness
from kws.errors import KwsError
from kws.labels import NEGATIVES_FOLDER
from kws.splits import EVAL, SPLITS, TEST, TRAIN, Split

RATE = 16000
EVAL_SPEECH_S = 900.0
SOUND_S = 5


def speech(negatives: Path, eval_s: float) -> dict[Split, list[np.ndarray]]:
    """Utterances without a command word, by split; eval and test share no speaker.

    Speakers of the evaluation part go to eval until it has `eval_s` seconds; the rest is test.
    """
    with (negatives / "librispeech_index.tsv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t")]
    clean = [row for row in rows if not row["keywords_in_transcript"]]
    found: dict[Split, list[np.ndarray]] = {split: [] for split in SPLITS}
    found[TRAIN] = list(_utterances(negatives / "librispeech_train.wav", clean, "train"))
    dev = [row for row in clean if row["group"] == "dev"]
    eval_speakers: set[str] = set()
    for speaker in sorted({row["speaker"] for row in dev}):
        if _seconds(dev, eval_speakers) < eval_s:
            eval_speakers.add(speaker)
    for split, wanted in ((EVAL, True), (TEST, False)):
        part = [row for row in dev if (row["speaker"] in eval_speakers) == wanted]
        found[split] = list(_utterances(negatives / "librispeech_dev.wav", part, "dev"))
    return found


def sounds(negatives: Path) -> dict[Split, list[np.ndarray]]:
    """Environmental sounds; takes of one original recording stay in one split."""
    audio, _ = soundfile.read(negatives / "esc10.wav", dtype="int16")
    found: dict[Split, list[np.ndarray]] = {split: [] for split in SPLITS}
    for index, line in enumerate((negatives / "esc10_order.txt").read_text().splitlines()):
        original = line.rsplit("/", 1)[-1].rsplit("-", 1)[0]  # "1-100032-A.ogg" is take A of it
        split = SPLITS[hashlib.sha1(original.encode()).digest()[0] % len(SPLITS)]
        start = index * SOUND_S * RATE
        found[split].append(audio[start : start + SOUND_S * RATE])
    return found


def _seconds(rows: list[dict[str, str]], speakers: set[str]) -> float:
    return sum(float(row["dur_s"]) for row in rows if row["speaker"] in speakers)


def _utterances(path: Path, rows: list[dict[str, str]], group: str) -> Iterator[np.ndarray]:
    audio, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE, f"{path} is at {rate} Hz"
    for row in rows:
        if row["group"] == group:
            start = round(float(row["start_s"]) * RATE)
            yield audio[start : start + round(float(row["dur_s"]) * RATE)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the negatives and says how long they are."""
    parser = harness.Parser("recordings", __doc__)
    parser.add_argument("unpacked", type=Path, help="folder with speech_commands/ and negatives/")
    parser.add_argument(
        "--eval-seconds",
        type=float,
        default=EVAL_SPEECH_S,
        help="speech of the evaluation part that goes to eval; the other speakers' goes to test",
    )
    args = parser.parse_args(arguments)
    unpacked = args.unpacked
    for name in ("librispeech_train.wav", "librispeech_dev.wav", "esc10.wav"):
        if not (unpacked / "negatives" / name).is_file():
            raise KwsError(f"{unpacked / 'negatives' / name} does not exist")
    for name, parts in (
        ("speech", speech(unpacked / "negatives", args.eval_seconds)),
        ("sounds", sounds(unpacked / "negatives")),
    ):
        for split, clips in parts.items():
            path = unpacked / "speech_commands" / NEGATIVES_FOLDER / split / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            if not clips:
                raise KwsError(
                    f"no {name} for {path}", hint="more of it, or another --eval-seconds"
                )
            audio = np.concatenate(clips)
            soundfile.write(path, audio, RATE, subtype="PCM_16")
            print(f"{path}: {len(audio) / RATE / 60:.1f} min")


if __name__ == "__main__":
    harness.start(main)
