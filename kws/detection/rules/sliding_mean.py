"""The rule "sliding_mean": microWakeWord's, as ESPHome's micro_wake_word component runs it.

The device (esphome/esphome, components/micro_wake_word/streaming_model.cpp) keeps the last N
probabilities of each wake word in a ring that starts with zeros. At each row:

1. Each keyword's newest probability replaces its oldest; its mean is their sum over N, zeros
   included. N = `average_window_ms` / `clip_stride_ms`, rounded up: `sliding_window_size` of a
   microWakeWord manifest.
2. Nothing fires if a detection lies less than `suppression_ms` back (there: 100 slices of 10 ms).
3. The keyword with the highest mean (the first of equals) fires if its mean is more than
   `detection_threshold` (there: `probability_cutoff`; equal is not enough).
4. A detection fills all rings with zeros.

N rows are counted, whatever their times; `minimum_count` has no part in it. One difference: the
device ignores its first 100 slices as well, here the first row may fire, for what a model says
before it has heard enough is left out before (`kws.detection.posteriors`).
"""

import collections
import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.detection.detection import Detection, following, keyword_indices, rising
from kws.detection.params import DetectorParams


class SlidingMeanRule:
    """The rule row by row."""

    def __init__(self, params: DetectorParams, labels: Sequence[str]):
        self._params = params
        self._keywords = keyword_indices(labels)
        self._labels = [labels[i] for i in self._keywords]
        self._rows = params.rows_averaged
        # Zeros need no place: those kept are the rows since the last detection.
        self._ring: collections.deque[tuple[int, np.ndarray]] = collections.deque(maxlen=self._rows)
        self._seen_ms: int | None = None
        self._last_ms: int | None = None

    def step(self, time_ms: int, posteriors: np.ndarray) -> Detection | None:
        """See `kws.detection.detector.Detector.step`."""
        self._seen_ms = time_ms = following(time_ms, self._seen_ms)
        self._ring.append((time_ms, np.asarray(posteriors, np.float64)[self._keywords]))
        if self._last_ms is not None and time_ms - self._last_ms < self._params.suppression_ms:
            return None
        total = np.zeros(len(self._keywords))
        for _, row in self._ring:
            total = total + row
        means = total / self._rows
        best = int(means.argmax())
        if not means[best] > self._params.detection_threshold:
            return None
        start_ms = self._ring[0][0]
        self._last_ms = time_ms
        self._ring.clear()
        return Detection(
            label=self._labels[best],
            score=float(means[best]),
            start_ms=start_ms,
            end_ms=time_ms,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SlidingMeanStream:
    """A stream after step 1, as if nothing had fired.

    Attributes:
      times_ms: int64 `[n]`.
      probabilities: float64 `[n, keywords]`.
      keyword_scores: float64 `[n, keywords]`, their sliding means.
      rows: N.
      keywords: their labels.
      suppression_ms: as configured.
    """

    times_ms: np.ndarray
    probabilities: np.ndarray
    keyword_scores: np.ndarray
    rows: int
    keywords: list[str]
    suppression_ms: int

    def fire(self, threshold: float) -> list[Detection]:
        """Steps 2 to 4."""
        above = np.flatnonzero(self.keyword_scores.max(axis=1, initial=0.0) > threshold)
        detections = []
        fresh = 0  # the first row since the last detection
        ready = 0  # the first row that may fire
        at = 0
        while at < len(above):
            row = int(above[at])
            means = self._means(row, fresh)
            best = int(means.argmax())
            if not means[best] > threshold:  # zeros since the last detection made it less
                at += 1
                continue
            detections.append(
                Detection(
                    label=self.keywords[best],
                    score=float(means[best]),
                    start_ms=int(self.times_ms[max(fresh, row - self.rows + 1)]),
                    end_ms=int(self.times_ms[row]),
                )
            )
            fresh = row + 1
            quiet_until = self.times_ms[row] + self.suppression_ms
            ready = max(fresh, int(np.searchsorted(self.times_ms, quiet_until)))
            at = int(np.searchsorted(above, ready))
        return detections

    def _means(self, row: int, fresh: int) -> np.ndarray:
        if row - self.rows + 1 >= fresh:
            return np.asarray(self.keyword_scores[row])
        # The rows before were forgotten: a sum of probabilities never grows by that, so that no
        # row is missed by looking only at those whose whole mean is above the threshold.
        return self.probabilities[fresh : row + 1].cumsum(axis=0)[-1] / self.rows


def slide(
    times_ms: np.ndarray, posteriors: np.ndarray, params: DetectorParams, labels: Sequence[str]
) -> SlidingMeanStream:
    """Step 1 for a whole stream; arguments and errors as of `kws.detection.detector.smooth`."""
    times = rising(times_ms)
    keywords = keyword_indices(labels)
    rows = np.asarray(posteriors, np.float64).reshape(len(times), len(labels))[:, keywords]
    kept = params.rows_averaged
    totals = np.zeros_like(rows)
    for age in range(min(kept, len(rows)) - 1, -1, -1):
        totals[age:] += rows[: len(rows) - age]
    return SlidingMeanStream(
        times_ms=times,
        probabilities=rows,
        keyword_scores=totals / kept,
        rows=kept,
        keywords=[labels[i] for i in keywords],
        suppression_ms=params.suppression_ms,
    )
