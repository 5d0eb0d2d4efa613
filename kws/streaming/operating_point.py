"""The threshold: tried over a grid on the eval streams, chosen for a target rate, DET kept."""

import dataclasses
import math
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from kws.errors import KwsError
from kws.streaming.detector import fire, smooth
from kws.streaming.evaluate import MS_PER_HOUR, StreamPosteriors
from kws.streaming.match import match
from kws.streaming.params import DetectorParams, MatchParams, OperatingPointParams

LOWEST, HIGHEST = 0.05, 0.995
"""Thresholds tried; an int8 softmax says at most 255/256 = 0.996."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetPoint:
    """One threshold's errors: a point of the detection error trade-off.

    Attributes:
      threshold: of the averaged posterior.
      false_accepts, misses: counted.
      false_accepts_per_hour, miss_rate: estimates; NaN without any time, without any word.
    """

    threshold: float
    false_accepts: int
    false_accepts_per_hour: float
    misses: int
    miss_rate: float

    def to_dict(self) -> dict[str, Any]:
        """For `det.json`; NaN becomes None."""
        values = dataclasses.asdict(self)
        return {key: None if math.isnan(value) else value for key, value in values.items()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """What was chosen, and why.

    Attributes:
      detector: the settings given, with the threshold chosen.
      reached: whether the target rate was met on the eval streams.
      reason: one sentence for a person.
      det: all thresholds tried, rising.
    """

    detector: DetectorParams
    reached: bool
    reason: str
    det: list[DetPoint]

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without the DET table."""
        return {
            "detector": self.detector.model_dump(),
            "reached": self.reached,
            "reason": self.reason,
        }


def candidate_thresholds(count: int) -> list[float]:
    """`count` thresholds from 0.05 to 0.995 in equal steps of log-odds.

    A trained network's scores crowd near 0 and 1: equal steps would waste most of the grid.
    """
    first, last = (math.log(edge / (1 - edge)) for edge in (LOWEST, HIGHEST))
    grid = 1 / (1 + np.exp(-np.linspace(first, last, count)))
    return sorted({round(float(threshold), 5) for threshold in grid})


def det_table(
    streams: Sequence[StreamPosteriors],
    labels: Sequence[str],
    detector: DetectorParams,
    match_params: MatchParams,
    thresholds: Sequence[float],
) -> list[DetPoint]:
    """Errors at each threshold; the streams are smoothed once for all of them."""
    smoothed = [smooth(s.times_ms, s.posteriors, detector, labels) for s in streams]
    hours = sum(stream.truth.duration_ms for stream in streams) / MS_PER_HOUR
    table = []
    for threshold in thresholds:
        false_accepts = misses = words = 0
        for stream, averaged in zip(streams, smoothed, strict=True):
            detections = fire(averaged, threshold, detector.suppression_ms)
            matched = match(detections, stream.truth, match_params)
            false_accepts += len(matched.false_accepts)
            misses += sum(outcome.kind != "hit" for outcome in matched.outcomes)
            words += len(matched.outcomes)
        table.append(
            DetPoint(
                threshold=threshold,
                false_accepts=false_accepts,
                false_accepts_per_hour=false_accepts / hours if hours else math.nan,
                misses=misses,
                miss_rate=misses / words if words else math.nan,
            )
        )
    return table


def choose_operating_point(
    streams: Sequence[StreamPosteriors],
    labels: Sequence[str],
    detector: DetectorParams,
    match_params: MatchParams,
    params: OperatingPointParams,
) -> OperatingPoint:
    """Chooses the threshold on the eval streams; the test streams must not be shown to it.

    Among thresholds whose false accepts per hour (the estimate) are at most the target: the
    fewest misses, then the fewest false accepts. If no threshold reaches the target: the fewest
    false accepts, then the fewest misses, and `reached` is False. Thresholds that are still equal
    form a plateau, of which the middle one (the upper of two) is taken, as far as can be from
    both edges. Without a target the configured threshold is kept.

    Raises:
      KwsError: a target is set and the streams hold no keyword, or no time at all.
    """
    det = det_table(
        streams, labels, detector, match_params, candidate_thresholds(params.candidates)
    )
    target = params.target_false_accepts_per_hour
    if target is None:
        reason = f"threshold {detector.detection_threshold:g} is configured; no target rate is set"
        return OperatingPoint(detector=detector, reached=True, reason=reason, det=det)
    if math.isnan(det[0].miss_rate) or math.isnan(det[0].false_accepts_per_hour):
        raise KwsError(
            f"the {len(streams)} eval streams hold no keyword: no threshold can be chosen on them",
            hint="lay words into the eval streams, or set target_false_accepts_per_hour to null",
        )
    reaching = [point for point in det if point.false_accepts_per_hour <= target]
    if reaching:
        chosen = _middle_of_best(reaching, lambda p: (p.misses, p.false_accepts))
        verdict = f"target {target:g} /h reached"
    else:
        chosen = _middle_of_best(det, lambda p: (p.false_accepts, p.misses))
        verdict = f"no threshold reaches the target of {target:g} /h: the one with the fewest"
    reason = (
        f"threshold {chosen.threshold:g} on the eval streams: "
        f"{chosen.false_accepts_per_hour:.2f} false accepts/h, {chosen.miss_rate:.1%} missed; "
        f"{verdict}"
    )
    return OperatingPoint(
        detector=detector.model_copy(update={"detection_threshold": chosen.threshold}),
        reached=bool(reaching),
        reason=reason,
        det=det,
    )


def _middle_of_best(points: Sequence[DetPoint], cost: Any) -> DetPoint:
    best = min(cost(point) for point in points)
    plateau = {point.threshold: point for point in points if cost(point) == best}
    return plateau[statistics.median_high(plateau)]
