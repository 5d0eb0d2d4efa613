"""What `kws run --keyword` ships for a wake word is worth to people who were never recorded for it.

    python -m benchmarks.wake_words UNPACKED computer jarvis [--recordings] [--tier TIER]
        [--seeds 1,2,3] [--without PART ...] [--keep FOLDER | --kept FOLDER]
        [--det FOLDER] [--json FILE]

UNPACKED holds `wake_words/<word>/*.wav` (one recording of the word a file), `negatives/` and
`speech_commands/`, and `benchmarks.recordings` has been run on it. For each word and seed the real
pipeline runs (`kws run --keyword WORD`), with voices alone or, with `--recordings`, with recordings
of other things beside them, but never with one of the word. Its int8 model is run through
TensorFlow Lite Micro over every recording of the word in five conditions (quiet; pink noise at
20 dB; somebody doing the dishes at 10 dB; four people talking at 10 dB; a simulated room) and over
hours in which nobody says it: LibriSpeech's evaluation part and the rest of ESC-10, and the words
of half of Speech Commands' speakers, one a second. None of these speakers, noises and rooms is in
the training.

Printed are misses and false accepts at the thresholds of the model's own sensitivities, and at the
lowest threshold that keeps to `--per-hour` false accepts over all streams, which is chosen on these
very streams; means over the seeds, with the lowest and highest, and 95 % bounds of each seed; and
how many phrases that sound like the word, said by voices that are not in training, the default
sensitivity accepts. `--without` takes one part of the recipe away. `--keep` keeps each model in
FOLDER/<word>/seed-<n>, and `--kept` judges such a folder without training.
"""

import collections
import concurrent.futures
import contextlib
import json
import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks import harness, wake_word_figures, wake_word_models, wake_word_streams
from benchmarks.wake_word_figures import Judged
from benchmarks.wake_word_models import PARTS, Kept
from kws import features
from kws.detection.params import Runtime
from kws.detection.posteriors import StreamPosteriors, stream_posteriors
from kws.errors import KwsError
from kws.features.frontend import Frontend
from kws.runtime import load
from kws.scenes.ground_truth import GroundTruth
from pipeline import config as configuration

QUEUED = 4
"""Streams for each process that wait for it."""


class Ears:
    """Runs a model over streams, in processes of their own or, with one worker, in this one."""

    def __init__(self, kept: Kept, runtime: Runtime, workers: int):
        self._arguments = (kept.folder, runtime, kept.detector.clip_stride_ms)
        self._workers = workers
        self._pool: concurrent.futures.Executor | None = None

    def __enter__(self) -> "Ears":
        if self._workers > 1:
            self._pool = concurrent.futures.ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_load,
                initargs=self._arguments,
            )
        else:
            _load(*self._arguments)
        return self

    def __exit__(self, *_: object) -> None:
        _LOADED.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def hear(self, streams: wake_word_streams.Heard) -> Iterator[StreamPosteriors]:
        """The posteriors of each stream, in their order; few of the streams are held at a time."""
        if self._pool is None:
            yield from (_hear(*stream) for stream in streams)
            return
        waiting: collections.deque[concurrent.futures.Future] = collections.deque()
        for stream in streams:
            waiting.append(self._pool.submit(_hear, *stream))
            if len(waiting) > QUEUED * self._workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_LOADED: dict[str, tuple[load.Int8Any, Frontend, int]] = {}
"""The model of this process."""


def _load(folder: Path, runtime: Runtime, clip_stride_ms: int) -> None:
    model = load.load_folder(folder, runtime=runtime)
    _LOADED["model"] = model, features.create(model.feature_params), clip_stride_ms


def _hear(audio: np.ndarray, truth: GroundTruth) -> StreamPosteriors:
    model, frontend, clip_stride_ms = _LOADED["model"]
    times_ms, posteriors = stream_posteriors(model, frontend, audio, clip_stride_ms)
    return StreamPosteriors(truth=truth, times_ms=times_ms, posteriors=posteriors)


def judge(
    kept: Kept,
    word: str,
    unpacked: Path,
    *,
    near: int,
    per_hour: float,
    runtime: Runtime = "tflm",
    workers: int = 1,
) -> Judged:
    """Runs a model over all streams and counts.

    Args:
      kept: the model.
      word: that it spots.
      unpacked: see the head of this file.
      near: phrases that sound like the word.
      per_hour: see `wake_word_figures.judge`.
      runtime: that runs the model.
      workers: processes.
    """
    voices = configuration.load("keyword", [f"keywords=[{word}]"]).voices
    with Ears(kept, runtime, workers) as ears:
        heard = {
            kind: list(ears.hear(made()))
            for kind, made in wake_word_streams.kinds(unpacked, word).items()
        }
        nearly = list(ears.hear(wake_word_streams.near_miss_streams(word, near, voices)))
    labels = load.load_folder(kept.folder).labels
    return wake_word_figures.judge(kept, labels, heard, nearly, per_hour)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains and judges each word and seed in turn."""
    parser = harness.Parser("wake_words", __doc__)
    parser.add_argument("unpacked", type=Path, help="folder of recordings, see above")
    parser.add_argument("words", nargs="+", help="a model for each")
    parser.add_argument(
        "--recordings", action="store_true", help="train with recordings of other things too"
    )
    parser.add_argument("--preset", help="as of `kws run`; none: that of --keyword")
    parser.add_argument("--tier", help="as of `kws run`")
    parser.add_argument("--set", action="append", default=[], help="as of `kws run`")
    parser.add_argument(
        "--without", action="append", default=[], choices=sorted(PARTS), metavar="PART",
        help="take away a part of the recipe: "
        + "; ".join(f"{name} ({part.reason})" for name, part in sorted(PARTS.items())),
    )  # fmt: skip
    parser.add_argument("--seeds", type=_seeds, default="1", help="numbers between commas")
    parser.add_argument(
        "--per-hour", type=float, default=0.5, help="false accepts to compare misses at"
    )
    parser.add_argument("--near", type=int, default=60, help="phrases that sound like the word")
    parser.add_argument("--runtime", choices=("tflm", "tflite"), default="tflm", help="of the int8")
    parser.add_argument("--workers", type=int, default=2, help="processes that run the model")
    parser.add_argument("--out", type=Path, help="folder to keep the whole runs in")
    models = parser.add_mutually_exclusive_group()
    models.add_argument("--keep", type=Path, help="folder to keep the int8 models in")
    models.add_argument("--kept", type=Path, help="folder of kept models: none is trained")
    parser.add_argument("--det", type=Path, help="folder for a picture of each word")
    parser.add_argument("--json", type=Path, help="file for all figures")
    args = parser.parse_args(arguments)
    for word in args.words:
        wake_word_streams.kinds(args.unpacked, word)  # raises here if a recording is missing
        for seed in args.seeds:
            if args.keep is not None and _folder(args.keep, word, seed).exists():
                parser.error(f"{_folder(args.keep, word, seed)} exists: nothing is overwritten")
            if args.kept is not None:
                wake_word_models.read(_folder(args.kept, word, seed))
    found = {}
    with contextlib.ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = [*wake_word_models.without(args.without), *args.set]
        if args.recordings and args.kept is None:
            links = temporary / "links"
            settings = [*wake_word_models.with_recordings(args.unpacked, links), *settings]
        for word in args.words:
            judged = {}
            for seed in args.seeds:
                folder = _folder(args.kept or args.keep or temporary / "models", word, seed)
                if args.kept is None:
                    wake_word_models.train(
                        word,
                        seed,
                        folder,
                        (args.out or temporary / "runs") / f"{word}-{seed}",
                        preset=args.preset,
                        tier=args.tier,
                        settings=settings,
                    )
                judged[seed] = judge(
                    wake_word_models.read(folder),
                    word,
                    args.unpacked,
                    near=args.near,
                    per_hour=args.per_hour,
                    runtime=args.runtime,
                    workers=args.workers,
                )
            found[word] = judged
            print(wake_word_figures.table(word, judged), flush=True)
            if args.det is not None:
                args.det.mkdir(parents=True, exist_ok=True)
                picture = wake_word_figures.picture(word, judged)
                (args.det / f"{word}.png").write_bytes(picture)
            if args.json is not None:  # after each word: a later one may fail
                _write(args.json, found, {"settings": settings, "tier": args.tier})


def _seeds(text: str) -> list[int]:
    return [int(number) for number in str(text).split(",")]


def _folder(models: Path, word: str, seed: int) -> Path:
    return models / word / f"seed-{seed}"


def _write(file: Path, found: dict[str, dict[int, Judged]], made: dict[str, object]) -> None:
    figures = {
        word: {
            **wake_word_figures.summary(list(judged.values())),
            "recordings": next(iter(judged.values())).curves[wake_word_streams.QUIET].words,
            "hours": {kind: c.hours for kind, c in next(iter(judged.values())).curves.items()},
            "seeds": {seed: one.to_dict() for seed, one in judged.items()},
        }
        for word, judged in found.items()
    }
    try:
        file.write_text(json.dumps({"made": made, "words": figures}, indent=2) + "\n")
    except OSError as error:
        raise KwsError(f"{file} cannot be written: {error.strerror}") from error


if __name__ == "__main__":
    harness.start(main)
