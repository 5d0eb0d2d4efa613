"""What a wake word made of synthesized voices alone is worth on real speech.

    python -m benchmarks.wake_words UNPACKED computer jarvis [--recordings] [--det FOLDER]
        [--tflm MINUTES] [--keep FOLDER | --kept FOLDER]

UNPACKED holds `wake_words/<word>/*.wav` (one recording of the word a file), `negatives/` and
`speech_commands/`, and `benchmarks.recordings` has been run on it. Trained is the preset `keyword`
(see `benchmarks.recipe`); with `--recordings` an hour of LibriSpeech, a third of ESC-10 and the
background noises of Speech Commands join it, but never a recording of the word. The int8 model is
run over every recording of the word, and over hours in which nobody says it: LibriSpeech's
evaluation part and the rest of ESC-10; and the words of half of Speech Commands' speakers, one a
second. Printed are the misses at the lowest thresholds that keep to so many false accepts an hour,
once in the speech and sounds and once in all streams, the recordings among them, in which a word
may be detected twice: the thresholds are chosen there, so the misses are what they are for.
`--det` draws DET and ROC over all streams together.

`--tflm` has TensorFlow Lite Micro's interpreter hear so many minutes of each kind of stream anew,
in whole streams, and exits with 1 where a posterior or a detection is another one. `--keep` keeps
each word's int8 model in a folder of its own, and `--kept` judges such a folder without training.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import device_form, harness, recipe, wake_word_streams
from benchmarks.wake_word_streams import SAID, SINGLE_WORDS, SPEECH
from kws import features
from kws.features import files
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER, label_list
from kws.micro import load
from kws.micro.int8_file import MODEL_FILE
from kws.streaming.det import DetCurves, det_curves
from kws.streaming.evaluate import evaluate_streams
from kws.streaming.params import DetectorParams, MatchParams
from kws.streaming.posteriors import stream_posteriors
from kws.streaming.rates import hourly_rate
from kws.streaming.scored_stream import StreamPosteriors
from pipeline import config as configuration
from pipeline.config import Config

TARGETS_PER_HOUR = (1.3, 0.5, 0.2, 0.1)
DRAWN_TARGET = 0.5
THRESHOLDS = sorted({*np.linspace(0.02, 0.9, 177).round(4), *np.linspace(0.9, 0.997, 98).round(4)})


def judge(
    folder: Path, word: str, unpacked: Path, config: Config, args: argparse.Namespace
) -> bool:
    """Prints one word's figures; returns whether TFLM, where it was asked, says the same.

    Args:
      folder: of the int8 model.
      word: what it spots.
      unpacked: see the head of this file.
      config: its detector is used.
      args: `det` and `tflm`.
    """
    detector = config.streaming.detector
    model = load.load_folder(folder)
    streams = wake_word_streams.kinds(unpacked, word)
    heard = {kind: _hear(model, made(), detector) for kind, made in streams.items()}
    curves = {
        kind: det_curves(posteriors, model.labels, detector, MatchParams(), THRESHOLDS)
        for kind, posteriors in heard.items()
    }
    print(f"{word}: {curves[SAID].total.words} recordings")
    points = []
    for chosen_on in ((SPEECH,), (SPEECH, SINGLE_WORDS, SAID)):
        points += _table(curves, chosen_on)
    if args.det is not None:
        over_all = points[len(points) // 2 :][TARGETS_PER_HOUR.index(DRAWN_TARGET)]
        everything = [stream for posteriors in heard.values() for stream in posteriors]
        _draw(everything, model.labels, _at(detector, over_all), word, args.det)
    if args.tflm is None:
        return True
    detectors = [_at(detector, threshold) for threshold in sorted(set(points))]
    same = True
    for kind, made in streams.items():
        again = ((audio, s) for (audio, _), s in zip(made(), heard[kind], strict=True))
        found = device_form.compare(folder, again, detectors, args.tflm)
        print(f"  {kind} {found}", flush=True)
        same = same and found.same
    return same


def _hear(
    model: load.Int8Any, streams: wake_word_streams.Heard, detector: DetectorParams
) -> list[StreamPosteriors]:
    frontend = features.create(model.feature_params)
    heard = []
    for audio, truth in streams:
        times_ms, rows = stream_posteriors(model, frontend, audio, detector.clip_stride_ms)
        heard.append(StreamPosteriors(truth=truth, times_ms=times_ms, posteriors=rows))
    return heard


def _table(curves: dict[str, DetCurves], chosen_on: Sequence[str]) -> list[float]:
    """Prints a row for each target; returns the thresholds, the highest where none keeps to it."""
    totals = {kind: of.total for kind, of in curves.items()}
    said = totals[SAID]
    hours = sum(totals[kind].hours for kind in chosen_on)
    print(f"  chosen in {hours:.2f} h of {', '.join(chosen_on)}:")
    thresholds = []
    for target in TARGETS_PER_HOUR:
        accepts = [
            sum(totals[kind].points[i].false_accepts for kind in chosen_on)
            for i in range(len(THRESHOLDS))
        ]
        at = next((i for i, count in enumerate(accepts) if count <= target * hours), None)
        thresholds.append(THRESHOLDS[-1 if at is None else at])
        if at is None:
            print(f"    at most {target:g} /h: no threshold")
            continue
        print(
            f"    at most {target:g} /h: threshold {THRESHOLDS[at]:.3f}, misses "
            f"{said.misses(said.points[at])}, false accepts {hourly_rate(accepts[at], hours)}"
        )
        for kind in (SPEECH, SINGLE_WORDS, SAID):
            print(f"      in {kind}: {totals[kind].false_accepts(totals[kind].points[at])}")
    return thresholds


def _at(detector: DetectorParams, threshold: float) -> DetectorParams:
    return detector.model_copy(update={"detection_threshold": threshold})


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


def settings(
    word: str, unpacked: Path, recordings: bool, overrides: Sequence[str], links: Path
) -> Config:
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


def train(word: str, folder: Path, config: Config, workers: int) -> None:
    """Trains the word's int8 model into a folder and prints what it took."""
    data = recipe.datasets(config, workers)
    converted, history, parameters = recipe.converted(config, data, config.training)
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(converted.model)
    (folder / load.CONVERSION_FILE).write_text(converted.figures.model_dump_json(indent=2) + "\n")
    files.write_labels(folder, label_list(config.keywords))
    files.write(folder, config.features)
    counts = {split: len(examples) for split, examples in data.items()}
    print(
        f"{word}: {counts} examples, {parameters} parameters, {history.seconds:.0f} s", flush=True
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains and judges each word in turn; exits with 1 where TFLM says something else."""
    parser = harness.Parser("wake_words", __doc__)
    parser.add_argument("unpacked", type=Path, help="folder of recordings, see above")
    parser.add_argument("words", nargs="+", help="one model is trained for each")
    parser.add_argument(
        "--recordings", action="store_true", help="train on recordings of other things too"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that synthesize")
    parser.add_argument("--det", type=Path, help="folder for a picture of each word")
    parser.add_argument(
        "--tflm", type=float, metavar="MINUTES", help="compare so much of each kind"
    )
    models = parser.add_mutually_exclusive_group()
    models.add_argument("--keep", type=Path, help="folder to keep the int8 models in")
    models.add_argument("--kept", type=Path, help="folder of kept models: none is trained")
    parser.add_argument("--set", action="append", default=[], help="as of `kws run`")
    args = parser.parse_args(arguments)
    for word in args.words:
        if args.keep is not None and (args.keep / word).exists():
            parser.error(f"{args.keep / word} exists: nothing is overwritten")
        if args.kept is not None:
            load.load_folder(args.kept / word)
        wake_word_streams.kinds(args.unpacked, word)  # raises here if a recording is missing
    same = True
    for word in args.words:
        with tempfile.TemporaryDirectory() as temporary:
            links = Path(temporary) / "links"
            config = settings(word, args.unpacked, args.recordings, args.set, links)
            folder = (args.kept or args.keep or Path(temporary)) / word
            if args.kept is None:
                train(word, folder, config, args.workers)
            same = judge(folder, word, args.unpacked, config, args) and same
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    harness.start(main)
