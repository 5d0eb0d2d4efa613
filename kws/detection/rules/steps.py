"""The rule "steps": the trigger word's, a chime where a step is sure, and then quiet for a while.

Ng's trigger-word assignment ("Sequence Models", Coursera deeplearning.ai, 2018) chimes at a step
whose probability passes 0.5 if the last chime lies at least 75 output steps back. At each row:

1. The candidate is the keyword with the highest probability (the first of equals): nothing is
   averaged.
2. It fires if its probability is at least `detection_threshold`, and if no detection has fired yet
   or the last one lies at least `steps_between` rows back.

Rows are counted, not milliseconds: a step of that network is 7.26 ms. Windows, minimum count and
suppression in milliseconds have no part in it.

Two differences from the assignment's loop: its counter starts at 0, so that nothing can chime in
the first 75 steps of a clip, and it waits one step more between two chimes.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.detection.detection import Detection, following, keyword_indices, rising
from kws.detection.params import DetectorParams


class StepsRule:
    """The rule row by row."""

    def __init__(self, params: DetectorParams, labels: Sequence[str]):
        self._params = params
        self._keywords = keyword_indices(labels)
        self._labels = [labels[i] for i in self._keywords]
        self._seen_ms: int | None = None
        self._since_last = params.steps_between

    def step(self, time_ms: int, posteriors: np.ndarray) -> Detection | None:
        """See `kws.detection.detector.Detector.step`."""
        self._seen_ms = time_ms = following(time_ms, self._seen_ms)
        self._since_last += 1
        scores = np.asarray(posteriors, np.float64)[self._keywords]
        best = int(scores.argmax())
        if not scores[best] >= self._params.detection_threshold:
            return None
        if self._since_last < self._params.steps_between:
            return None
        self._since_last = 0
        return Detection(
            label=self._labels[best], score=float(scores[best]), start_ms=time_ms, end_ms=time_ms
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SteppedStream:
    """A stream after step 1.

    Attributes:
      times_ms: int64 `[n]`.
      keyword_scores: float64 `[n, keywords]`, their probabilities.
      best: int `[n]`, index of the candidate among the keywords.
      keywords: their labels.
      steps_between: as configured.
    """

    times_ms: np.ndarray
    keyword_scores: np.ndarray
    best: np.ndarray
    keywords: list[str]
    steps_between: int

    def fire(self, threshold: float) -> list[Detection]:
        """Step 2."""
        scores = self.keyword_scores[np.arange(len(self.best)), self.best]
        above = np.flatnonzero(scores >= threshold)
        detections = []
        at = 0
        while at < len(above):
            row = int(above[at])
            time_ms = int(self.times_ms[row])
            detections.append(
                Detection(
                    label=self.keywords[int(self.best[row])],
                    score=float(scores[row]),
                    start_ms=time_ms,
                    end_ms=time_ms,
                )
            )
            at = int(np.searchsorted(above, row + self.steps_between))
        return detections


def candidates(
    times_ms: np.ndarray, posteriors: np.ndarray, params: DetectorParams, labels: Sequence[str]
) -> SteppedStream:
    """Step 1 for a whole stream; arguments and errors as of `kws.detection.detector.smooth`."""
    times = rising(times_ms)
    keywords = keyword_indices(labels)
    rows = np.asarray(posteriors, np.float64).reshape(len(times), len(labels))[:, keywords]
    best = rows.argmax(axis=1)
    return SteppedStream(
        times_ms=times,
        keyword_scores=rows,
        best=best,
        keywords=[labels[i] for i in keywords],
        steps_between=params.steps_between,
    )
