"""From posteriors to detections, by one of four rules, row by row or for a whole stream.

    rule            fires where                                           then is quiet for
    average         the mean over a time window reaches the threshold     suppression_ms
    sliding_mean    the mean of the last N rows is over the threshold     suppression_ms
    consecutive     the last N rows all reach the threshold               suppression_ms
    steps           one row reaches the threshold                         steps_between rows

`kws/detection/rules/` has a file for each, with its source; docs/detection.md has pictures.
`Detector` runs a rule row by row, as a device does; `detect` runs it on a whole stream at array
speed and gives the same detections, to the last bit of a score. `smooth` and `fire` are the two
halves of `detect`, for a sweep over thresholds. `kws.bundle.device_code` writes the rule in C++.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from kws.detection.detection import Detection, RowRule, SmoothedStream, keyword_indices
from kws.detection.params import DetectorParams
from kws.detection.rules.average import AverageRule, average
from kws.detection.rules.consecutive import ConsecutiveRule, lowest_of_rows
from kws.detection.rules.sliding_mean import SlidingMeanRule, slide
from kws.detection.rules.steps import StepsRule, candidates

__all__ = [
    "Detection",
    "Detector",
    "SmoothedStream",
    "detect",
    "fire",
    "keyword_indices",
    "smooth",
]


class _Rule(NamedTuple):
    by_row: Callable[[DetectorParams, Sequence[str]], RowRule]
    whole: Callable[[np.ndarray, np.ndarray, DetectorParams, Sequence[str]], SmoothedStream]


_RULES = {
    "average": _Rule(AverageRule, average),
    "sliding_mean": _Rule(SlidingMeanRule, slide),
    "consecutive": _Rule(ConsecutiveRule, lowest_of_rows),
    "steps": _Rule(StepsRule, candidates),
}


class Detector:
    """A rule, one row of posteriors at a time, as a device runs it."""

    def __init__(self, params: DetectorParams, labels: Sequence[str]):
        self._rule = _RULES[params.rule].by_row(params, labels)

    def step(self, time_ms: int, posteriors: np.ndarray) -> Detection | None:
        """Takes the posteriors `[labels]` of one time; times must rise.

        Raises:
          ValueError: the time is not later than the one before.
        """
        return self._rule.step(time_ms, posteriors)


def smooth(
    times_ms: np.ndarray, posteriors: np.ndarray, params: DetectorParams, labels: Sequence[str]
) -> SmoothedStream:
    """All of the rule that no threshold changes.

    Args:
      times_ms: `[n]`, rising.
      posteriors: `[n, labels]`.
      params: the threshold is not looked at.
      labels: of the model's outputs.

    Raises:
      ValueError: times do not rise, or there is no keyword.
    """
    return _RULES[params.rule].whole(times_ms, posteriors, params, labels)


def fire(stream: SmoothedStream, threshold: float) -> list[Detection]:
    """All detections of a smoothed stream at one threshold."""
    return stream.fire(threshold)


def detect(
    times_ms: np.ndarray, posteriors: np.ndarray, params: DetectorParams, labels: Sequence[str]
) -> list[Detection]:
    """All detections of a stream: what `Detector.step` gives, row by row, at array speed."""
    return smooth(times_ms, posteriors, params, labels).fire(params.detection_threshold)
