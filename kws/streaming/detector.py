"""From posteriors to detections: smoothing, a threshold, a minimum count, suppression.

The rule follows RecognizeCommands of TensorFlow's speech_commands example (P. Warden, "Speech
Commands", arXiv:1804.03209, section 7.6), with one difference: suppression follows every
detection, whatever was detected before. At the time t of each row of posteriors:

1. Rows of the last `average_window_ms` are kept: those with t - average_window_ms < time <= t.
2. With fewer than `minimum_count` rows kept, nothing fires.
3. The rows are averaged. The candidate is the keyword with the highest average (the first of
   equals, in label order). `_silence_` and `_unknown_` never fire and never outvote a keyword:
   what they hold is already missing from the keyword's share of the softmax.
4. It fires if its average is at least `detection_threshold`, and if no detection has fired yet or
   the last one lies at least `suppression_ms` back.

A detection leaves the kept rows as they are: a word that keeps its score for longer than
`suppression_ms` fires again, here as on the device.

`Detector` does this row by row; `smooth` and `fire` do it for a whole stream, and give the same
detections: both add rows from the oldest to the newest in float64, so that even the last bit of an
average agrees.
"""

import collections
import dataclasses
from collections.abc import Sequence

import numpy as np

from kws import labels as kws_labels
from kws.streaming.params import DetectorParams


@dataclasses.dataclass(frozen=True, kw_only=True)
class Detection:
    """One keyword reported.

    Attributes:
      label: the keyword.
      score: its averaged posterior when it fired.
      start_ms: time of the oldest row in that average.
      end_ms: time of the row with which it fired: when a device would act.
    """

    label: str
    score: float
    start_ms: int
    end_ms: int


def keyword_indices(labels: Sequence[str]) -> list[int]:
    """Where the keywords stand in the model's outputs.

    Raises:
      ValueError: there is no keyword among the labels.
    """
    indices = [i for i, label in enumerate(labels) if label not in kws_labels.RESERVED]
    if not indices:
        raise ValueError(f"labels={list(labels)} hold no keyword: nothing could ever fire")
    return indices


class Detector:
    """The rule above, one row of posteriors at a time, as a device runs it."""

    def __init__(self, params: DetectorParams, labels: Sequence[str]):
        self._params = params
        self._labels = list(labels)
        self._keywords = keyword_indices(labels)
        self._kept: collections.deque[tuple[int, np.ndarray]] = collections.deque()
        self._last_ms: int | None = None

    def step(self, time_ms: int, posteriors: np.ndarray) -> Detection | None:
        """Takes the posteriors `[labels]` of one time; times must rise.

        Raises:
          ValueError: the time is not later than the one before.
        """
        if self._kept and time_ms <= self._kept[-1][0]:
            raise ValueError(f"time_ms={time_ms} does not follow {self._kept[-1][0]}: times rise")
        self._kept.append((time_ms, np.asarray(posteriors, np.float64)))
        while self._kept[0][0] <= time_ms - self._params.average_window_ms:
            self._kept.popleft()
        if len(self._kept) < self._params.minimum_count:
            return None
        total = np.zeros(len(self._labels))
        for _, row in self._kept:
            total = total + row
        average = (total / len(self._kept))[self._keywords]
        best = int(average.argmax())
        if not average[best] >= self._params.detection_threshold:
            return None
        if self._last_ms is not None and time_ms - self._last_ms < self._params.suppression_ms:
            return None
        self._last_ms = time_ms
        return Detection(
            label=self._labels[self._keywords[best]],
            score=float(average[best]),
            start_ms=int(self._kept[0][0]),
            end_ms=int(time_ms),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SmoothedStream:
    """A stream after averaging: all that a threshold needs, once for a whole sweep.

    Attributes:
      times_ms, starts_ms: int64 `[n]`, the newest and the oldest row of each average.
      best: int `[n]`, index into `labels` of the keyword with the highest average.
      scores: float64 `[n]`, that average; -inf where fewer than minimum_count rows were kept.
      labels: of the model's outputs.
    """

    times_ms: np.ndarray
    starts_ms: np.ndarray
    best: np.ndarray
    scores: np.ndarray
    labels: list[str]


def smooth(
    times_ms: np.ndarray, posteriors: np.ndarray, params: DetectorParams, labels: Sequence[str]
) -> SmoothedStream:
    """Steps 1 to 3 of the rule for a whole stream (the threshold is not looked at).

    Args:
      times_ms: `[n]`, rising.
      posteriors: `[n, labels]`.

    Raises:
      ValueError: times do not rise.
    """
    times = np.asarray(times_ms, np.int64)
    if np.any(np.diff(times) <= 0):
        raise ValueError("times_ms do not rise: each row needs a later time than the one before")
    keywords = np.array(keyword_indices(labels))
    rows = np.asarray(posteriors, np.float64).reshape(len(times), len(labels))[:, keywords]
    index = np.arange(len(times))
    first = np.searchsorted(times, times - params.average_window_ms, side="right")
    counts = index - first + 1
    totals = np.zeros_like(rows)
    for age in range(int(counts.max(initial=0)) - 1, -1, -1):
        has = np.flatnonzero(counts > age)
        totals[has] += rows[has - age]
    averages = totals / counts[:, None]
    best = averages.argmax(axis=1)
    scores = averages[index, best]
    return SmoothedStream(
        times_ms=times,
        starts_ms=times[first],
        best=keywords[best],
        scores=np.where(counts >= params.minimum_count, scores, -np.inf),
        labels=list(labels),
    )


def fire(stream: SmoothedStream, threshold: float, suppression_ms: int) -> list[Detection]:
    """Step 4 of the rule for a whole stream; costs little, so that a sweep can repeat it."""
    above = np.flatnonzero(stream.scores >= threshold)
    times = stream.times_ms[above]
    detections = []
    at = 0
    while at < len(above):
        row = above[at]
        detections.append(
            Detection(
                label=stream.labels[stream.best[row]],
                score=float(stream.scores[row]),
                start_ms=int(stream.starts_ms[row]),
                end_ms=int(times[at]),
            )
        )
        at = max(at + 1, int(np.searchsorted(times, times[at] + suppression_ms)))
    return detections


def detect(
    times_ms: np.ndarray, posteriors: np.ndarray, params: DetectorParams, labels: Sequence[str]
) -> list[Detection]:
    """All detections of a stream: what `Detector.step` gives, row by row, at array speed."""
    smoothed = smooth(times_ms, posteriors, params, labels)
    return fire(smoothed, params.detection_threshold, params.suppression_ms)
