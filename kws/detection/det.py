"""DET curves: false accepts per hour and misses at every threshold, in total and by keyword.

A. Martin et al., "The DET Curve in Assessment of Detection Task Performance", Eurospeech 1997; with
false accepts per hour instead of a false-alarm probability, for a stream has no trials. The ROC
holds the same points, with hits (1 - miss rate) instead of misses.
"""

import collections
import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kws.detection.detector import fire, keyword_indices, smooth
from kws.detection.match import match
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.detection.rates import MS_PER_HOUR, HourlyRate, Share, hourly_rate, share

OUTPUT_LEVELS = 256
"""Of an int8 or uint8 output: 0, 1/256, ... 255/256."""
THRESHOLDS = 80
"""On a curve, at most, if nobody says otherwise."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetPoint:
    """One threshold's errors: a point of the detection error trade-off.

    Attributes:
      threshold: of the averaged posterior.
      false_accepts: how many there were.
      misses: how many there were.
      false_accepts_per_hour: an estimate; NaN without any time.
      miss_rate: an estimate; NaN without any word.
    """

    threshold: float
    false_accepts: int
    false_accepts_per_hour: float
    misses: int
    miss_rate: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON; NaN becomes None."""
        values = dataclasses.asdict(self)
        return {key: None if math.isnan(value) else value for key, value in values.items()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetCurve:
    """The points of one keyword or of all, and what they rest on.

    Attributes:
      hours: of all streams.
      words: said, of this keyword or of all.
      points: by rising threshold.
    """

    hours: float
    words: int
    points: list[DetPoint]

    def false_accepts(self, point: DetPoint) -> HourlyRate:
        """Of a point, with its bounds."""
        return hourly_rate(point.false_accepts, self.hours)

    def misses(self, point: DetPoint) -> Share:
        """Of a point, with its bounds."""
        return share(point.misses, self.words)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetCurves:
    """All keywords together, and each: a false accept belongs to the keyword that was detected.

    All curves have the same thresholds and hours.
    """

    total: DetCurve
    per_keyword: dict[str, DetCurve]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: thresholds, and for each of them the counts; rates follow from them."""
        return {
            "hours": self.total.hours,
            "thresholds": [point.threshold for point in self.total.points],
            "total": _counts(self.total),
            "per_keyword": {label: _counts(curve) for label, curve in self.per_keyword.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DetCurves":
        """Reads what `to_dict` wrote."""

        def curve(counts: Mapping[str, Any]) -> DetCurve:
            rows = zip(values["thresholds"], counts["false_accepts"], counts["misses"], strict=True)
            return _curve(values["hours"], counts["words"], rows)

        per_keyword = {label: curve(counts) for label, counts in values["per_keyword"].items()}
        return cls(total=curve(values["total"]), per_keyword=per_keyword)


def candidate_thresholds(detector: DetectorParams, count: int = THRESHOLDS) -> list[float]:
    """Thresholds from the lowest output level to the highest in equal steps of log-odds, rising.

    A trained network's scores crowd near 0 and 1: equal steps would waste most of the grid. Each
    threshold is a value that the detector's score can have, for two thresholds between the same two
    values are one: a level of the output, or of a mean of several outputs. With the rule
    sliding_mean it is a level of one output, for ESPHome rounds its cutoff to that.

    Args:
      detector: all but its threshold.
      count: at most; near 0 and 1 several of them fall onto one level.
    """
    levels = OUTPUT_LEVELS * (detector.rows_averaged if detector.rule == "average" else 1)
    # Where a score must be more than the threshold, the highest level can never fire.
    highest = (OUTPUT_LEVELS - 1 - (detector.rule == "sliding_mean")) / OUTPUT_LEVELS
    first, last = (float(logit(end)) for end in (1 / OUTPUT_LEVELS, highest))
    grid = 1 / (1 + np.exp(-np.linspace(first, last, count)))
    return sorted({round(float(threshold) * levels) / levels for threshold in grid})


def logit(shares: float | np.ndarray) -> np.ndarray:
    """Log-odds; 1 has those of a millionth less."""
    clipped = np.minimum(shares, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def det_curves(
    streams: Sequence[StreamPosteriors],
    labels: Sequence[str],
    detector: DetectorParams,
    match_params: MatchParams,
    thresholds: Sequence[float],
) -> DetCurves:
    """Errors at each threshold; each stream is smoothed once for all of them.

    Args:
      streams: to be judged together.
      labels: of the model's outputs.
      detector: all but its threshold.
      match_params: when a detection counts as a hit.
      thresholds: rising.
    """
    words: collections.Counter[str] = collections.Counter()
    misses: list[collections.Counter[str]] = [collections.Counter() for _ in thresholds]
    accepts: list[collections.Counter[str]] = [collections.Counter() for _ in thresholds]
    for stream in streams:
        smoothed = smooth(stream.times_ms, stream.posteriors, detector, labels)
        for i, threshold in enumerate(thresholds):
            matched = match(fire(smoothed, threshold), stream.truth, match_params)
            misses[i].update(o.word.label for o in matched.outcomes if o.kind != "hit")
            accepts[i].update(accept.detection.label for accept in matched.false_accepts)
        if thresholds:
            words.update(outcome.word.label for outcome in matched.outcomes)
    hours = sum(stream.truth.duration_ms for stream in streams) / MS_PER_HOUR

    def curve(of: Sequence[str]) -> DetCurve:
        accepted = [sum(counted[label] for label in of) for counted in accepts]
        missed = [sum(counted[label] for label in of) for counted in misses]
        rows = zip(thresholds, accepted, missed, strict=True)
        return _curve(hours, sum(words[label] for label in of), rows)

    found = list(dict.fromkeys([*(labels[i] for i in keyword_indices(labels)), *words]))
    return DetCurves(total=curve(found), per_keyword={label: curve([label]) for label in found})


def _curve(hours: float, words: int, rows: Iterable[tuple[float, int, int]]) -> DetCurve:
    points = [
        DetPoint(
            threshold=threshold,
            false_accepts=accepted,
            false_accepts_per_hour=accepted / hours if hours else math.nan,
            misses=missed,
            miss_rate=missed / words if words else math.nan,
        )
        for threshold, accepted, missed in rows
    ]
    return DetCurve(hours=hours, words=words, points=points)


def _counts(curve: DetCurve) -> dict[str, Any]:
    return {
        "words": curve.words,
        "false_accepts": [point.false_accepts for point in curve.points],
        "misses": [point.misses for point in curve.points],
    }
