"""Judges a model on scenes: every step against its label, and the chimes against the words."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pydantic

from kws.detection.evaluate import StreamingReport, evaluate_streams
from kws.detection.params import STEPS_BETWEEN, DetectorParams, MatchParams, Runtime
from kws.detection.posteriors import StreamPosteriors
from kws.gates import Gate
from kws.params import Params
from kws.scenes.scoring import StepCounts, count_steps

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth


class SceneEvaluationParams(Params):
    """The SceneEvaluator's section; a limit of None leaves a figure ungated."""

    runtime: Runtime = pydantic.Field("tflite", description="as in `streaming`")
    threshold: float = pydantic.Field(
        0.5, gt=0, lt=1, description="a step of at least this is said to be 1, and chimes"
    )
    steps_between: int = pydantic.Field(
        STEPS_BETWEEN, ge=1, description="steps from a chime to the next one, at least"
    )
    match: MatchParams = MatchParams()
    min_f1: float | None = pydantic.Field(None, ge=0, le=1, description="of the steps")
    min_precision: float | None = pydantic.Field(None, ge=0, le=1, description="of the steps")
    min_recall: float | None = pydantic.Field(None, ge=0, le=1, description="of the steps")
    max_miss_rate: float | None = pydantic.Field(None, ge=0, le=1, description="of the words")
    max_false_accepts_per_hour: float | None = pydantic.Field(
        None, ge=0, description="over the hours of scenes, which are full of words"
    )

    @property
    def detector(self) -> DetectorParams:
        """The trigger-word rule, `kws.detection.rules.steps`, with these settings."""
        return DetectorParams(
            rule="steps",
            detection_threshold=self.threshold,
            steps_between=self.steps_between,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoredScene:
    """What a model said of one scene.

    Attributes:
      truth: what there is to hear.
      labels: 0 and 1, `[steps]`.
      scores: probabilities, float `[steps]`.
      times_ms: int64 `[steps]`, when what each step heard was over.
    """

    truth: "GroundTruth"
    labels: np.ndarray
    scores: np.ndarray
    times_ms: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class SceneReport:
    """A model of steps judged on scenes.

    Attributes:
      scenes: how many.
      steps: of all scenes together.
      chimes: hits, misses, false accepts and latency, by the trigger-word rule.
    """

    scenes: int
    steps: StepCounts
    chimes: StreamingReport

    def to_dict(self) -> dict[str, Any]:
        """For `evaluation.json`."""
        return {
            "scenes": self.scenes,
            "summary": self.sentences().splitlines(),
            "steps": self.steps.to_dict(),
            "chimes": self.chimes.to_dict(),
        }

    def sentences(self) -> str:
        """Two lines for a person."""
        total = self.chimes.total
        latency = (
            ""
            if math.isnan(total.latency_ms_median)
            else (f", {total.latency_ms_median:.0f} ms after the word's end (median)")
        )
        return (
            f"steps: {self.steps}\n"
            f"chimes: {total.hits} of {total.words} words hit{latency}, missed {total.miss_rate}; "
            f"{total.false_accepts} false accepts, {total.false_accepts_per_hour}"
        )


def evaluate_scenes(
    scored: Sequence[ScoredScene], keyword: str, params: SceneEvaluationParams
) -> SceneReport:
    """Counts steps and chimes.

    Args:
      scored: scenes of one split, each with its own id.
      keyword: what a chime is for.
      params: threshold, distance of chimes, matching rule.
    """
    steps = sum((count_steps(s.labels, s.scores, params.threshold) for s in scored), StepCounts())
    chimes = evaluate_streams(
        [
            StreamPosteriors(truth=s.truth, times_ms=s.times_ms, posteriors=s.scores[:, None])
            for s in scored
        ],
        [keyword],
        params.detector,
        params.match,
    )
    return SceneReport(scenes=len(scored), steps=steps, chimes=chimes)


def scene_gates(report: SceneReport, params: SceneEvaluationParams) -> list[Gate]:
    """Always `scenes.evaluated`, so that no scenes bless nothing; then one for each limit set."""
    total = report.chimes.total
    gates = [
        Gate(
            name="scenes.evaluated",
            value=report.scenes,
            limit=1,
            at_most=False,
            unit="scenes",
            detail=f"{total.words} words in {total.false_accepts_per_hour.exposure:.2f} h",
        )
    ]
    for name in ("f1", "precision", "recall"):
        limit = getattr(params, f"min_{name}")
        if limit is not None:
            value = getattr(report.steps, name)
            gates.append(
                Gate(
                    name=f"scenes.step_{name}",
                    value=value,
                    limit=limit,
                    at_most=False,
                    detail=f"on {report.steps.steps:,} steps",
                )
            )
    for name, rate, unit in (
        ("miss_rate", total.miss_rate, ""),
        ("false_accepts_per_hour", total.false_accepts_per_hour, "/h"),
    ):
        limit = getattr(params, f"max_{name}")
        if limit is not None:
            gates.append(
                Gate(
                    name=f"scenes.{name}",
                    value=rate.estimate,
                    limit=limit,
                    at_most=True,
                    unit=unit,
                    detail=str(rate),
                )
            )
    return gates
