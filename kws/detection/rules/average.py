"""The rule "average": RecognizeCommands, on an average over time.

After TensorFlow's speech_commands example (P. Warden, "Speech Commands", arXiv:1804.03209, section
7.6), with one difference: suppression follows every detection, whatever was detected before. At
the time t of each row of posteriors:

1. Rows of the last `average_window_ms` are kept: those with t - average_window_ms < time <= t.
2. With fewer than `minimum_count` rows kept, nothing fires.
3. The rows are averaged. The candidate is the keyword with the highest average (the first of
   equals, in label order). `_silence_` and `_unknown_` never fire and never outvote a keyword:
   what they hold is already missing from the keyword's share of the softmax.
4. It fires if its average is at least `detection_threshold`, and if no detection has fired yet or
   the last one lies at least `suppression_ms` back.
5. With `rearm`, a keyword that has fired fires again only after its average was below the threshold
   in the meantime: a word fires once, however long its score stays high. Without, such a word fires
   again after `suppression_ms`.

Both forms add rows from the oldest to the newest in float64, so that even the last bit of an
average agrees.
"""

import collections
import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.detection.detection import Detection, following, keyword_indices, rising
from kws.detection.params import DetectorParams


class AverageRule:
    """The rule row by row."""

    def __init__(self, params: DetectorParams, labels: Sequence[str]):
        self._params = params
        self._labels = list(labels)
        self._keywords = keyword_indices(labels)
        self._kept: collections.deque[tuple[int, np.ndarray]] = collections.deque()
        self._last_ms: int | None = None
        self._armed = np.ones(len(self._keywords), bool)

    def step(self, time_ms: int, posteriors: np.ndarray) -> Detection | None:
        """See `kws.detection.detector.Detector.step`."""
        params = self._params
        time_ms = following(time_ms, self._kept[-1][0] if self._kept else None)
        self._kept.append((time_ms, np.asarray(posteriors, np.float64)))
        while self._kept[0][0] <= time_ms - params.average_window_ms:
            self._kept.popleft()
        total = np.zeros(len(self._labels))
        for _, row in self._kept:
            total = total + row
        average = (total / len(self._kept))[self._keywords]
        self._armed |= ~(average >= params.detection_threshold)
        if len(self._kept) < params.minimum_count:
            return None
        best = int(average.argmax())
        if not average[best] >= params.detection_threshold:
            return None
        if self._last_ms is not None and time_ms - self._last_ms < params.suppression_ms:
            return None
        if params.rearm and not self._armed[best]:
            return None
        self._last_ms = time_ms
        self._armed[best] = False
        return Detection(
            label=self._labels[self._keywords[best]],
            score=float(average[best]),
            start_ms=int(self._kept[0][0]),
            end_ms=time_ms,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class AveragedStream:
    """A stream after steps 1 to 3.

    Attributes:
      times_ms: int64 `[n]`, the newest row of each average.
      starts_ms: int64 `[n]`, the oldest row of each average.
      averages: float64 `[n, keywords]`.
      enough: bool `[n]`, whether `minimum_count` rows were kept.
      best: int `[n]`, the candidate's index among the keywords.
      scores: float64 `[n]`, its average; -inf where not enough rows were kept.
      keywords: their labels.
      suppression_ms: as configured.
      rearm: as configured.
    """

    times_ms: np.ndarray
    starts_ms: np.ndarray
    averages: np.ndarray
    enough: np.ndarray
    best: np.ndarray
    scores: np.ndarray
    keywords: list[str]
    suppression_ms: int
    rearm: bool

    @property
    def keyword_scores(self) -> np.ndarray:
        """See `kws.detection.detection.SmoothedStream`."""
        return np.where(self.enough[:, None], self.averages, -np.inf)

    def fire(self, threshold: float) -> list[Detection]:
        """Steps 4 and 5."""
        above = np.flatnonzero(self.scores >= threshold)
        times, candidates = self.times_ms[above], self.best[above]
        # Where another keyword becomes the candidate: a disarmed one is skipped up to there.
        changes = np.append(np.flatnonzero(np.diff(candidates)) + 1, len(above))
        below: dict[int, np.ndarray] = {}
        armed_from = np.zeros(self.averages.shape[1], np.int64)
        detections = []
        at = 0
        while at < len(above):
            row, keyword = int(above[at]), int(candidates[at])
            if self.rearm and row < armed_from[keyword]:
                armed = int(np.searchsorted(above, armed_from[keyword]))
                at = min(armed, int(changes[np.searchsorted(changes, at, side="right")]))
                continue
            detections.append(
                Detection(
                    label=self.keywords[keyword],
                    score=float(self.scores[row]),
                    start_ms=int(self.starts_ms[row]),
                    end_ms=int(times[at]),
                )
            )
            if self.rearm:
                if keyword not in below:
                    low = np.flatnonzero(~(self.averages[:, keyword] >= threshold))
                    below[keyword] = np.append(low, len(self.times_ms))
                armed_from[keyword] = below[keyword][np.searchsorted(below[keyword], row)]
            at = max(at + 1, int(np.searchsorted(times, times[at] + self.suppression_ms)))
        return detections


def average(
    times_ms: np.ndarray, posteriors: np.ndarray, params: DetectorParams, labels: Sequence[str]
) -> AveragedStream:
    """Steps 1 to 3 for a whole stream.

    Args:
      times_ms: `[n]`, rising.
      posteriors: `[n, labels]`.
      params: the threshold is not looked at.
      labels: of the model's outputs.

    Raises:
      ValueError: times do not rise.
    """
    times = rising(times_ms)
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
    enough = counts >= params.minimum_count
    return AveragedStream(
        times_ms=times,
        starts_ms=times[first],
        averages=averages,
        enough=enough,
        best=best,
        scores=np.where(enough, averages[index, best], -np.inf),
        keywords=[labels[i] for i in keywords],
        suppression_ms=params.suppression_ms,
        rearm=params.rearm,
    )
