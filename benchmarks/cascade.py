"""A tiny wake-word model that wakes a larger one, as one system, on people's recordings.

    python -m benchmarks.wake_words UNPACKED computer --recordings --keep large
    python -m benchmarks.wake_words UNPACKED computer --recordings --keep tiny --set "model=TINY"
    python -m benchmarks.cascade UNPACKED computer tiny/computer/seed-1 large/computer/seed-1

TINY is `{name: ds_cnn, options: {first_kernel: [8, 40], first_stride: [4, 40], filters: 16,
blocks: 2}}`. Both models are judged on the streams of `benchmarks.wake_words`. For each threshold
of the first stage: in each kind of stream, how much of the time the second stage is awake and
how many multiply-accumulates a second both take; the words let through, the words missed and
the false accepts of the two as one system, with 95 % bounds. The second stage's threshold is one
that `benchmarks.wake_words` printed for it alone: nothing is chosen here.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import harness, wake_word_models, wake_word_streams
from benchmarks.wake_word_streams import NEGATIVES, QUIET
from kws.detection.cascade import FirstRows, Stage, awake_frames, check, listen
from kws.detection.cascade_report import FirstHeard, cascade_figures
from kws.detection.evaluate import StreamingReport, evaluate_streams
from kws.detection.params import MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.runtime import load
from kws.scenes.ground_truth import GroundTruth

THRESHOLDS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heard:
    """A stream's features, and what the first stage said to them.

    Attributes:
      truth: what there was to hear.
      features: `[frames, channels]`, of both stages.
      first: the first stage's rows.
    """

    truth: GroundTruth
    features: np.ndarray
    first: FirstRows


def hear(first: Stage, streams: wake_word_streams.Heard) -> list[Heard]:
    """Runs the first stage over whole streams."""
    heard = []
    for audio, truth in streams:
        features = first.frontend.compute(audio)
        rows = FirstRows(*listen(first, features, np.ones(len(features), bool)))
        heard.append(Heard(truth=truth, features=features, first=rows))
    return heard


def both(
    first: Stage, second: Stage, heard: Sequence[Heard], threshold: float | None, hold_ms: int
) -> StreamingReport:
    """What the second stage detects where it is awake; everywhere without a threshold."""
    scored = []
    for stream in heard:
        frames = len(stream.features)
        awake = np.ones(frames, bool)
        if threshold is not None:
            awake = awake_frames(first, stream.first, frames, threshold=threshold, hold_ms=hold_ms)
        times_ms, rows = listen(second, stream.features, awake)
        scored.append(StreamPosteriors(truth=stream.truth, times_ms=times_ms, posteriors=rows))
    return evaluate_streams(scored, second.model.labels, second.detector, MatchParams())


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each threshold of the first stage, and one for the second stage alone."""
    parser = harness.Parser("cascade", __doc__)
    parser.add_argument("unpacked", type=Path, help="recordings, see benchmarks.wake_words")
    parser.add_argument("word", help="that both models spot")
    parser.add_argument("first", type=Path, help="folder of a kept model, the tiny one")
    parser.add_argument("second", type=Path, help="folder of a kept model, the larger one")
    parser.add_argument(
        "--second-threshold", type=float, default=0.79, help="detection threshold of the second"
    )
    parser.add_argument(
        "--hold-ms", type=int, default=1000, help="how long the second stage stays awake"
    )
    args = parser.parse_args(arguments)
    chosen = {"detection_threshold": args.second_threshold}
    first, second = (
        load.stage_of_folder(
            folder, wake_word_models.read(folder).detector.model_copy(update=chosen)
        )
        for folder in (args.first, args.second)
    )
    check(first, second, args.hold_ms)
    every = wake_word_streams.kinds(args.unpacked, args.word)
    made = {kind: every[kind] for kind in (QUIET, *NEGATIVES)}
    heard = {kind: hear(first, streams()) for kind, streams in made.items()}
    everything = [stream for kind in made for stream in heard[kind]]
    for threshold in (*THRESHOLDS, None):
        report = both(first, second, everything, threshold, args.hold_ms)
        total = f"missed {report.total.miss_rate}, {report.total.false_accepts_per_hour}"
        if threshold is None:
            print(f"second stage alone: {total}")
            continue
        print(f"first stage's threshold {threshold:g}: {total}")
        for kind in heard:
            figures = cascade_figures(
                [
                    FirstHeard(truth=one.truth, frames=len(one.features), first=one.first)
                    for one in heard[kind]
                ],
                first,
                second,
                threshold=threshold,
                hold_ms=args.hold_ms,
                match=MatchParams(),
            )
            print(f"  {kind}: {figures.sentence()}; woken {figures.wakes} times", flush=True)


if __name__ == "__main__":
    harness.start(main)
