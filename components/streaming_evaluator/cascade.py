"""The Beam part of a cascade: one stream in, what both stages said in a file."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np

from components import staging
from components.streaming_evaluator import scoring as stored
from components.streaming_evaluator.scoring import StreamJob, audio_of, store
from kws.detection.cascade import FirstRows, Stage, check, hear
from kws.detection.cascade_report import SWEEP, CascadeFigures, FirstHeard, cascade_figures
from kws.detection.params import CascadeParams, DetectorParams, MatchParams
from kws.runtime import load


@dataclasses.dataclass(frozen=True, kw_only=True)
class CascadeSpec:
    """Which two models, and how: what a worker needs to load them.

    Attributes:
      second_folder: MicroConverter's Format-Serving.
      detector: of the second stage.
      params: the first stage.
      runtime: of both.
    """

    second_folder: str
    detector: DetectorParams
    params: CascadeParams
    runtime: Any = "tflite"

    def stages(self) -> tuple[Stage, Stage]:
        """Both models, loaded; raises KwsError if they cannot be a cascade."""
        first = load.stage_of_bundle(self.params.first_stage, self.runtime)
        with staging.copied(self.second_folder) as folder:
            second = load.stage_of_folder(folder, self.detector, self.runtime)
        check(first, second, self.params.hold_ms)
        return first, second


@beam.typehints.with_input_types(StreamJob)
@beam.typehints.with_output_types(str)
class HearStreams(beam.PTransform):
    """Runs a cascade over streams; gives the paths of the files written.

    Each file holds the second stage's `times_ms` and `posteriors`, only where it was awake, so
    that it reads like any model's; `first_times_ms`, `first_posteriors`, and `frames`, a number.
    """

    def __init__(self, spec: CascadeSpec):
        super().__init__()
        self._spec = spec

    def expand(self, jobs: beam.PCollection) -> beam.PCollection:
        return jobs | "Spread" >> beam.Reshuffle() | "Hear" >> beam.ParDo(_Hear(self._spec))


class _Hear(beam.DoFn):
    def __init__(self, spec: CascadeSpec):
        self._spec = spec

    def setup(self) -> None:
        self._first, self._second = self._spec.stages()

    def process(self, job: StreamJob) -> Iterator[str]:
        frontend, params = self._second.frontend, self._spec.params
        features = frontend.compute(audio_of(job, frontend.params.sample_rate))
        heard = hear(
            self._first,
            self._second,
            features,
            threshold=params.threshold,
            hold_ms=params.hold_ms,
        )
        store(
            job,
            times_ms=heard.times_ms,
            posteriors=heard.posteriors,
            first_times_ms=heard.first.times_ms,
            first_posteriors=heard.first.posteriors,
            frames=np.array(len(features)),
        )
        yield job.npz


def figures(
    jobs: Sequence[StreamJob],
    stages: tuple[Stage, Stage],
    params: CascadeParams,
    match: MatchParams,
    thresholds: Sequence[float],
) -> list[CascadeFigures]:
    """What the cascade costs over these streams at each threshold of the first stage."""
    heard = [_first_heard(job) for job in jobs]
    first, second = stages
    return [
        cascade_figures(
            heard, first, second, threshold=threshold, hold_ms=params.hold_ms, match=match
        )
        for threshold in thresholds
    ]


def sweep(configured: float) -> list[float]:
    """The thresholds that are tried, the configured one among them."""
    return sorted({configured, *SWEEP})


def _first_heard(job: StreamJob) -> FirstHeard:
    arrays = stored.stored_arrays(job)
    return FirstHeard(
        truth=stored.truth(job),
        frames=int(arrays["frames"]),
        first=FirstRows(arrays["first_times_ms"], arrays["first_posteriors"]),
    )
