"""The operating point: threshold, rule and smoothing, searched together on the eval streams."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from kws.detection.det import DetCurves, DetPoint, candidate_thresholds, det_curves
from kws.detection.params import DetectorParams, MatchParams, OperatingPointParams
from kws.detection.posteriors import StreamPosteriors
from kws.detection.sensitivities import Sensitivities, choose_sensitivities
from kws.detection.threshold import by_count, fit_tail
from kws.errors import KwsError
from kws.splits import EVAL


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tried:
    """The best threshold of one rule and smoothing.

    Attributes:
      detector: the settings given, with this rule, this smoothing and its best threshold.
      point: that threshold's errors on the eval streams.
      reached: whether they keep to the target rate.
      grounds: half a sentence for a person.
      curves: all thresholds tried.
      sensitivities: a threshold for each name, where there are names.
    """

    detector: DetectorParams
    point: DetPoint
    reached: bool
    grounds: str
    curves: DetCurves
    sensitivities: Sensitivities | None = None

    @property
    def cost(self) -> tuple[bool, int, int]:
        """Lower is better."""
        errors = self.point.misses, self.point.false_accepts
        return not self.reached, *(errors if self.reached else errors[::-1])

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without the curves."""
        return {
            "rule": self.detector.rule,
            "average_window_ms": self.detector.average_window_ms,
            "minimum_count": self.detector.minimum_count,
            "reached": self.reached,
            **self.point.to_dict(),
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """What was chosen, and why.

    Attributes:
      detector: the settings given, with the threshold, the rule and the smoothing chosen.
      reached: whether the target rate was met on the eval streams.
      reason: one sentence for a person.
      det: all thresholds tried with the detector chosen, rising.
      tried: each rule and smoothing with its best threshold; empty where no target is set.
      sensitivities: thresholds with a name, the detector's among them; None where none is named.
    """

    detector: DetectorParams
    reached: bool
    reason: str
    det: list[DetPoint]
    tried: list[Tried] = dataclasses.field(default_factory=list)
    sensitivities: Sensitivities | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without the DET table and the sensitivities, which have a section each."""
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
    varied: Sequence[StreamPosteriors] = (),
) -> OperatingPoint:
    """Chooses threshold, rule and smoothing on the eval streams; test streams must not be shown.

    Each rule and smoothing of `params.detectors` has its best threshold for the target rate, see
    `kws.detection.threshold`. Of these the one that reaches the target with the fewest misses is
    taken, then the fewest false accepts; where none reaches it, false accepts come first. The
    configured one is taken if it is among equals, then the shortest.

    With named sensitivities the target is that of the default one, and the others have a threshold
    of the same rule and smoothing (`kws.detection.sensitivities`). Rates that are too rare to be
    counted are extrapolated from the tail of the scores, that of the `varied` streams included:
    versions of the same recordings, in which nothing is counted (`kws.scenes.negatives`). Without a
    target the configured detector is kept as it is.

    Raises:
      KwsError: a target is set and the streams hold no keyword, or no time at all.
    """
    target = params.target_false_accepts_per_hour
    if target is None:
        thresholds = candidate_thresholds(detector, params.candidates)
        det = det_curves(streams, labels, detector, match_params, thresholds).total.points
        reason = f"threshold {detector.detection_threshold:g} is configured; no target rate is set"
        return OperatingPoint(detector=detector, reached=True, reason=reason, det=det)
    tried: list[Tried] = []
    for one in params.detectors(detector):
        thresholds = candidate_thresholds(one, params.candidates)
        curves = det_curves(streams, labels, one, match_params, thresholds)
        if not curves.total.words or not curves.total.hours:
            raise KwsError(
                f"the {len(streams)} eval streams hold no keyword: no threshold can be chosen on "
                "them",
                hint="lay words into the eval streams, or set target_false_accepts_per_hour to "
                "null",
            )
        if params.default_sensitivity is None:
            tried.append(_try_target(one, curves, target))
        else:
            tail = fit_tail([*streams, *varied], labels, one, match_params)
            named = choose_sensitivities(
                params.sensitivities, params.default_sensitivity, curves, tail, EVAL
            )
            tried.append(_try_named(one, curves, named))
    chosen = min(tried, key=lambda one: one.cost)
    return OperatingPoint(
        detector=chosen.detector,
        reached=chosen.reached,
        reason=_reason(chosen, tried),
        det=chosen.curves.total.points,
        tried=tried,
        sensitivities=chosen.sensitivities,
    )


def _try_target(detector: DetectorParams, curves: DetCurves, target: float) -> Tried:
    choice = by_count(curves, target)
    return Tried(
        detector=_at(detector, choice.point.threshold),
        point=choice.point,
        reached=choice.reached,
        grounds=choice.grounds,
        curves=curves,
    )


def _try_named(detector: DetectorParams, curves: DetCurves, named: Sensitivities) -> Tried:
    default = named[named.default]
    threshold = default.detection_threshold
    return Tried(
        detector=_at(detector, threshold),
        point=next(p for p in curves.total.points if p.threshold == threshold),
        reached=default.reached,
        grounds=f"sensitivity {named.default}: {default.grounds}",
        curves=curves,
        sensitivities=named,
    )


def _at(detector: DetectorParams, threshold: float) -> DetectorParams:
    return detector.model_copy(update={"detection_threshold": threshold})


def _reason(chosen: Tried, tried: Sequence[Tried]) -> str:
    point, detector = chosen.point, chosen.detector
    smoothing = ""
    if len(tried) > 1 and detector.averages:
        smoothing = f" and an average over {detector.average_window_ms} ms"
    elif detector.rule == "consecutive":
        smoothing = f" in {detector.minimum_count} rows in a row"
    return (
        f"threshold {point.threshold:g}{smoothing} on the eval streams: "
        f"{point.false_accepts_per_hour:.2f} false accepts/h, {point.miss_rate:.1%} missed; "
        f"{chosen.grounds}"
    )
