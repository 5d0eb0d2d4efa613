"""Command words clip by clip: a run's int8 model on people and words that no training heard.

    python -m benchmarks.command_words runs/NAME DATA [--runtime tflm] [--out FILE.json]

DATA is the folder in the layout of Speech Commands that the run was made from. The newest int8
model of the run, pushed or not, hears recordings of a second as `kws evaluate` has it hear them:

    keywords, other words    the clips of `validation_list.txt`
    words never heard        every clip of the words that the preset keeps out of training
    silence                  a second each of noise that training never heard, at any level, digital
                             silence and coloured noise among it

Printed are the shares of the clips with the right label, and what the others were taken for.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import harness, kept
from kws.audio import noise
from kws.audio.read import read
from kws.corpus.contents import VALIDATION_LIST
from kws.corpus.layout import backgrounds
from kws.errors import KwsError
from kws.evaluate import ClipReport, evaluate_folder
from kws.labels import SILENCE, UNKNOWN
from kws.report.confusion import ConfusionMatrix
from kws.runtime import load
from kws.splits import TEST

RATE = 16000
NOISES, COLOURED, SEED = 300, 60, 5
DIGITAL_SHARE = 0.05
COLOURED_DBFS, EXPONENT = (-75.0, -20.0), (-0.2, 1.8)


def judge(
    run: Path, data: Path, runtime: load.Runtime, rare_word_clips: int
) -> dict[str, ClipReport]:
    """The model on each group of clips.

    Args:
      run: folder of a run.
      data: recordings.
      runtime: what runs the model.
      rare_word_clips: as of the run: a word of fewer clips was never heard.

    Raises:
      KwsError: the run has no int8 model, or the data lacks a validation list or rare words.
    """
    converted = kept.newest(run / "artifacts/MicroConverter/model") / "Format-Serving"
    model = load.load_folder(converted, runtime=runtime)
    keywords = set(model.labels) - {SILENCE, UNKNOWN}
    listed = (data / VALIDATION_LIST).read_text().split()
    clips = Counter(path.parent.name for path in data.glob("[!_]*/*.wav"))
    never = {word for word, count in clips.items() if count < rare_word_clips} - keywords
    if not listed or not never:
        raise KwsError(
            f"{data} has {len(listed)} clips in {VALIDATION_LIST} and {len(never)} words of fewer "
            f"than {rare_word_clips} clips: both are needed"
        )
    names = {
        "keywords": [name for name in listed if name.split("/")[0] in keywords],
        "other words": [n for n in listed if n.split("/")[0] not in keywords | never],
        "words never heard": [
            f"{path.parent.name}/{path.name}"
            for word in sorted(never)
            for path in sorted((data / word).glob("*.wav"))
        ],
    }
    reports = {}
    with tempfile.TemporaryDirectory() as made:
        for group, of_group in names.items():
            if not of_group:
                continue
            file = Path(made) / "list.txt"
            file.write_text("\n".join(of_group))
            reports[group] = evaluate_folder(run, data, file_list=file, model=model)
        folder = Path(made) / "clips"
        (folder / SILENCE).mkdir(parents=True)
        for number, audio in enumerate(silences(data)):
            soundfile.write(folder / SILENCE / f"{number:03d}.wav", audio, RATE)
        reports["silence"] = evaluate_folder(run, folder, model=model)
    return reports


def silences(data: Path) -> Iterator[np.ndarray]:
    """int16 `[16000]` each: pieces of the backgrounds' test parts, then coloured noise."""
    rng = np.random.default_rng(SEED)
    recordings = []
    for part in backgrounds(data, TEST):
        audio = read(data / part.path, RATE, max_duration_ms=3_600_000).audio
        start, stop = (round(share * len(audio)) for share in (part.start_share, part.end_share))
        recordings.append(audio[start:stop])
    for number in range(NOISES):
        recording = recordings[number % len(recordings)]
        start = rng.integers(len(recording) - RATE + 1)
        gain = 0.0 if rng.uniform() < DIGITAL_SHARE else rng.uniform()
        yield (recording[start : start + RATE] * gain).astype(np.int16)
    for _ in range(COLOURED):
        audio = noise.coloured(RATE, rng, exponent=rng.uniform(*EXPONENT))
        level = 10 ** (rng.uniform(*COLOURED_DBFS) / 20) * 32768
        yield np.clip(audio * level, -32768, 32767).astype(np.int16)


def right(matrix: ConfusionMatrix) -> tuple[int, int]:
    """Clips with the right label, and clips."""
    return int(np.trace(matrix.counts)), matrix.total


def rows(reports: dict[str, ClipReport]) -> Iterator[str]:
    """The table in Markdown."""
    yield "| clips | right | taken for something else |"
    yield "|---|---|---|"
    for group, report in reports.items():
        hits, total = right(report.matrix)
        counts = report.matrix.counts.copy()
        np.fill_diagonal(counts, 0)
        wrong = Counter(dict(zip(report.matrix.labels, counts.sum(axis=0).tolist(), strict=True)))
        named = ", ".join(f"{label} {count}" for label, count in wrong.most_common(4) if count)
        yield f"| {group} | {hits / total:.1%} of {total} | {named} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Judges a run and prints the table."""
    parser = harness.Parser("command_words", __doc__)
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("data", type=Path, help="folder in the layout of Speech Commands")
    parser.add_argument(
        "--runtime", choices=("tflite", "tflm"), default="tflm", help="what runs the model"
    )
    parser.add_argument("--rare-word-clips", type=int, default=100, help="see ingest")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    args = parser.parse_args(arguments)
    reports = judge(args.run, args.data, args.runtime, args.rare_word_clips)
    print("\n".join(rows(reports)))
    if args.out:
        args.out.write_text(json.dumps({g: r.to_dict() for g, r in reports.items()}, indent=1))


if __name__ == "__main__":
    harness.start(main)
