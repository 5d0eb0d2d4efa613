"""The rule "consecutive": a keyword fires once N rows in a row have reached the threshold.

A false accept is often a single loud row, while a spoken keyword holds its score for several.
openWakeWord calls N the patience of a model. At each row:

1. Each keyword's score is the lowest of its last N probabilities, N = `minimum_count`: it reaches a
   threshold exactly where N rows in a row have reached it.
2. With fewer than N rows since the stream's beginning, nothing fires.
3. The candidate is the keyword with the highest score (the first of equals, in label order).
4. It fires if its score is at least `detection_threshold`, and if no detection has fired yet or the
   last one lies at least `suppression_ms` back.

N rows are counted, whatever their times; rows before a detection count after it as well. Nothing is
averaged, so the score is one of the model's own output levels.
"""

import collections
import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.detection.detection import Detection, following, keyword_indices, rising
from kws.detection.params import DetectorParams


class ConsecutiveRule:
    """The rule row by row."""

    def __init__(self, params: DetectorParams, labels: Sequence[str]):
        self._params = params
        self._keywords = keyword_indices(labels)
        self._labels = [labels[i] for i in self._keywords]
        self._rows: collections.deque[tuple[int, np.ndarray]] = collections.deque(
            maxlen=params.minimum_count
        )
        self._last_ms: int | None = None

    def step(self, time_ms: int, posteriors: np.ndarray) -> Detection | None:
        """See `kws.detection.detector.Detector.step`."""
        params = self._params
        time_ms = following(time_ms, self._rows[-1][0] if self._rows else None)
        self._rows.append((time_ms, np.asarray(posteriors, np.float64)[self._keywords]))
        if len(self._rows) < params.minimum_count:
            return None
        lowest = np.min([row for _, row in self._rows], axis=0)
        best = int(lowest.argmax())
        if not lowest[best] >= params.detection_threshold:
            return None
        if self._last_ms is not None and time_ms - self._last_ms < params.suppression_ms:
            return None
        self._last_ms = time_ms
        return Detection(
            label=self._labels[best],
            score=float(lowest[best]),
            start_ms=self._rows[0][0],
            end_ms=time_ms,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConsecutiveStream:
    """A stream after step 3.

    Attributes:
      times_ms: int64 `[n]`.
      keyword_scores: float64 `[n, keywords]`, the lowest of the last N rows; -inf for the first
        N - 1 rows.
      rows: N.
      keywords: their labels.
      suppression_ms: as configured.
    """

    times_ms: np.ndarray
    keyword_scores: np.ndarray
    rows: int
    keywords: list[str]
    suppression_ms: int

    def fire(self, threshold: float) -> list[Detection]:
        """Step 4."""
        above = np.flatnonzero(self.keyword_scores.max(axis=1, initial=-np.inf) >= threshold)
        times = self.times_ms[above]
        detections = []
        at = 0
        while at < len(above):
            row = int(above[at])
            best = int(self.keyword_scores[row].argmax())
            detections.append(
                Detection(
                    label=self.keywords[best],
                    score=float(self.keyword_scores[row, best]),
                    start_ms=int(self.times_ms[row - self.rows + 1]),
                    end_ms=int(times[at]),
                )
            )
            at = max(at + 1, int(np.searchsorted(times, times[at] + self.suppression_ms)))
        return detections


def lowest_of_rows(
    times_ms: np.ndarray, posteriors: np.ndarray, params: DetectorParams, labels: Sequence[str]
) -> ConsecutiveStream:
    """Steps 1 to 3 for a whole stream; arguments and errors of `kws.detection.detector.smooth`."""
    times = rising(times_ms)
    keywords = keyword_indices(labels)
    rows = np.asarray(posteriors, np.float64).reshape(len(times), len(labels))[:, keywords]
    count = params.minimum_count
    lowest = np.full_like(rows, -np.inf)
    if len(rows) >= count:
        windows = np.lib.stride_tricks.sliding_window_view(rows, count, axis=0)
        lowest[count - 1 :] = windows.min(axis=-1)
    return ConsecutiveStream(
        times_ms=times,
        keyword_scores=lowest,
        rows=count,
        keywords=[labels[i] for i in keywords],
        suppression_ms=params.suppression_ms,
    )
