"""Named sensitivities: one detector, and a threshold for each of several rates of false accepts.

A user whom the device wakes at night turns it to `low`, one whom it does not hear to `high`. Rule
and smoothing are those chosen for the default; only the threshold differs, so that a device
switches by a single number (ESPHome: `probability_cutoff`).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from kws.detection.det import DetCurve, DetCurves, DetPoint, det_curves
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.detection.rates import HourlyRate, Share, hourly_rate, share
from kws.detection.threshold import Tail, by_count_or_tail


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeasuredErrors:
    """At one threshold, on the streams of one split; both rates have their bounds."""

    false_accepts_per_hour: HourlyRate
    miss_rate: Share

    @classmethod
    def at(cls, point: DetPoint, curve: DetCurve) -> "MeasuredErrors":
        """Of a point of a curve."""
        return cls(false_accepts_per_hour=curve.false_accepts(point), miss_rate=curve.misses(point))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """A threshold with a name.

    Attributes:
      name: "low", "medium", "high", ...
      target_false_accepts_per_hour: what it was chosen for.
      detection_threshold: chosen on the eval streams.
      reached: whether it keeps to the target there, as counted or as extrapolated.
      grounds: half a sentence for a person.
      measured: by split.
    """

    name: str
    target_false_accepts_per_hour: float
    detection_threshold: float
    reached: bool
    grounds: str
    measured: dict[str, MeasuredErrors]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sensitivities:
    """All of a spotter, the least sensitive first: their thresholds fall or stay.

    Attributes:
      default: the one that the gates judge and a device starts with.
      points: at least one.
    """

    default: str
    points: tuple[Sensitivity, ...]

    def __getitem__(self, name: str) -> Sensitivity:
        return next(one for one in self.points if one.name == name)

    def measure(
        self,
        split: str,
        streams: Sequence[StreamPosteriors],
        labels: Sequence[str],
        detector: DetectorParams,
        match_params: MatchParams,
    ) -> "Sensitivities":
        """The same with the errors on another split's streams; nothing is chosen there."""
        thresholds = sorted({one.detection_threshold for one in self.points})
        curve = det_curves(streams, labels, detector, match_params, thresholds).total
        errors = {point.threshold: MeasuredErrors.at(point, curve) for point in curve.points}
        points = tuple(
            dataclasses.replace(
                one, measured={**one.measured, split: errors[one.detection_threshold]}
            )
            for one in self.points
        )
        return dataclasses.replace(self, points=points)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "default": self.default,
            "points": {
                one.name: {
                    "target_false_accepts_per_hour": one.target_false_accepts_per_hour,
                    "detection_threshold": one.detection_threshold,
                    "reached": one.reached,
                    "grounds": one.grounds,
                    "measured": {
                        split: {
                            "false_accepts_per_hour": errors.false_accepts_per_hour.to_dict(),
                            "miss_rate": errors.miss_rate.to_dict(),
                        }
                        for split, errors in one.measured.items()
                    },
                }
                for one in self.points
            },
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Sensitivities":
        """Reads what `to_dict` wrote."""
        points = (
            Sensitivity(
                name=name,
                **{
                    **one,
                    "measured": {
                        split: _read_errors(errors) for split, errors in one["measured"].items()
                    },
                },
            )
            for name, one in values["points"].items()
        )
        return cls(default=values["default"], points=tuple(points))


def choose_sensitivities(
    targets: Mapping[str, float], default: str, curves: DetCurves, tail: Tail | None, split: str
) -> Sensitivities:
    """A threshold for each name; a lower target never has a lower threshold.

    Args:
      targets: name -> false accepts an hour.
      default: one of the names.
      curves: of the eval streams.
      tail: of the same streams, where there is one.
      split: the name under which the errors are kept.
    """
    chosen: list[Sensitivity] = []
    for name, target in sorted(targets.items(), key=lambda item: -item[1]):
        choice = by_count_or_tail(curves, target, tail)
        point, grounds = choice.point, choice.grounds
        if chosen and chosen[-1].detection_threshold > point.threshold:
            above = chosen[-1].detection_threshold
            point = next(p for p in curves.total.points if p.threshold == above)
            grounds += f"; as high as that of {chosen[-1].name}, whose target is higher"
        chosen.append(
            Sensitivity(
                name=name,
                target_false_accepts_per_hour=target,
                detection_threshold=point.threshold,
                reached=choice.reached,
                grounds=grounds,
                measured={split: MeasuredErrors.at(point, curves.total)},
            )
        )
    return Sensitivities(default=default, points=tuple(reversed(chosen)))


def _read_errors(values: Mapping[str, Any]) -> MeasuredErrors:
    rate, missed = values["false_accepts_per_hour"], values["miss_rate"]
    return MeasuredErrors(
        false_accepts_per_hour=hourly_rate(rate["count"], rate["exposure"]),
        miss_rate=share(missed["count"], round(missed["exposure"])),
    )
