"""The operating point: threshold and smoothing, tried on the eval streams, chosen for a rate."""

import dataclasses
import math
import statistics
from collections.abc import Sequence
from typing import Any

from kws.errors import KwsError
from kws.streaming.det import DetCurves, DetPoint, candidate_thresholds, det_curves
from kws.streaming.params import DetectorParams, MatchParams, OperatingPointParams
from kws.streaming.scored_stream import StreamPosteriors


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tried:
    """The best threshold of one smoothing.

    Attributes:
      detector: the settings given, with this smoothing and its best threshold.
      point: that threshold's errors on the eval streams.
      reached: whether they keep to the target rate.
      curves: all thresholds tried.
    """

    detector: DetectorParams
    point: DetPoint
    reached: bool
    curves: DetCurves

    @property
    def cost(self) -> tuple[bool, int, int]:
        """Lower is better."""
        errors = self.point.misses, self.point.false_accepts
        return not self.reached, *(errors if self.reached else errors[::-1])

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without the curves."""
        window_ms = self.detector.average_window_ms
        return {"average_window_ms": window_ms, "reached": self.reached, **self.point.to_dict()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """What was chosen, and why.

    Attributes:
      detector: the settings given, with the threshold and the smoothing chosen.
      reached: whether the target rate was met on the eval streams.
      reason: one sentence for a person.
      det: all thresholds tried with the smoothing chosen, rising.
      tried: each smoothing with its best threshold; empty where no target is set.
    """

    detector: DetectorParams
    reached: bool
    reason: str
    det: list[DetPoint]
    tried: list[Tried] = dataclasses.field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without the DET table."""
        return {
            "detector": self.detector.model_dump(),
            "reached": self.reached,
            "reason": self.reason,
            "tried": [tried.to_dict() for tried in self.tried],
        }


def choose_operating_point(
    streams: Sequence[StreamPosteriors],
    labels: Sequence[str],
    detector: DetectorParams,
    match_params: MatchParams,
    params: OperatingPointParams,
) -> OperatingPoint:
    """Chooses threshold and smoothing on the eval streams; the test streams must not be shown.

    Among thresholds whose false accepts per hour (the estimate) are at most the target: the
    fewest misses, then the fewest false accepts. If no threshold reaches the target: the fewest
    false accepts, then the fewest misses, and `reached` is False. Thresholds that are still equal
    form a plateau, of which the middle one (the upper of two) is taken, as far as can be from
    both edges. By the same order one of the smoothings is taken, each with its best threshold; the
    configured one if it is among equals, then the shortest. Without a target the configured
    threshold and smoothing are kept.

    Raises:
      KwsError: a target is set and the streams hold no keyword, or no time at all.
    """
    thresholds = candidate_thresholds(params.candidates)
    curves = det_curves(streams, labels, detector, match_params, thresholds)
    det = curves.total.points
    target = params.target_false_accepts_per_hour
    if target is None:
        reason = f"threshold {detector.detection_threshold:g} is configured; no target rate is set"
        return OperatingPoint(detector=detector, reached=True, reason=reason, det=det)
    if math.isnan(det[0].miss_rate) or math.isnan(det[0].false_accepts_per_hour):
        raise KwsError(
            f"the {len(streams)} eval streams hold no keyword: no threshold can be chosen on them",
            hint="lay words into the eval streams, or set target_false_accepts_per_hour to null",
        )
    tried = [_best_threshold(detector, curves, target)]
    for window_ms in sorted({*params.average_windows_ms} - {detector.average_window_ms}):
        smoother = detector.with_window(window_ms)
        others = det_curves(streams, labels, smoother, match_params, thresholds)
        tried.append(_best_threshold(smoother, others, target))
    chosen = min(tried, key=lambda one: one.cost)
    return OperatingPoint(
        detector=chosen.detector,
        reached=chosen.reached,
        reason=_reason(chosen, tried, target),
        det=chosen.curves.total.points,
        tried=tried,
    )


def _best_threshold(detector: DetectorParams, curves: DetCurves, target: float) -> Tried:
    det = curves.total.points
    reaching = [point for point in det if point.false_accepts_per_hour <= target]
    if reaching:
        point = _middle_of_best(reaching, lambda p: (p.misses, p.false_accepts))
    else:
        point = _middle_of_best(det, lambda p: (p.false_accepts, p.misses))
    return Tried(
        detector=detector.model_copy(update={"detection_threshold": point.threshold}),
        point=point,
        reached=bool(reaching),
        curves=curves,
    )


def _reason(chosen: Tried, tried: Sequence[Tried], target: float) -> str:
    point = chosen.point
    smoothing = ""
    if len(tried) > 1:
        smoothing = f" and an average over {chosen.detector.average_window_ms} ms"
    verdict = f"target {target:g} /h reached"
    if not chosen.reached:
        verdict = f"no threshold reaches the target of {target:g} /h: the one with the fewest"
    return (
        f"threshold {point.threshold:g}{smoothing} on the eval streams: "
        f"{point.false_accepts_per_hour:.2f} false accepts/h, {point.miss_rate:.1%} missed; "
        f"{verdict}"
    )


def _middle_of_best(points: Sequence[DetPoint], cost: Any) -> DetPoint:
    best = min(cost(point) for point in points)
    plateau = {point.threshold: point for point in points if cost(point) == best}
    return plateau[statistics.median_high(plateau)]
