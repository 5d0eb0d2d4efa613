"""The tail of the scores outside keywords: how rare a false accept is that was never counted.

In 8 hours without a false accept, a rate of 0.05 an hour looks like one of 0.01. What can be
measured is how high the score's peaks rise where no keyword is said, and how fast they become
rarer. The highest of them, in log-odds, are taken to fall off exponentially:

    peaks an hour above x  =  k / hours · exp(-(x - start) / scale)

This is the method of peaks over a threshold (S. Coles, "An Introduction to Statistical Modeling of
Extreme Values", 2001, chapter 4) with the shape 0, that of most distributions without a heavy tail.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kws.labels import RESERVED
from kws.streaming.det import OUTPUT_LEVELS, logit
from kws.streaming.detection import SmoothedStream
from kws.streaming.detector import smooth
from kws.streaming.params import DetectorParams, MatchParams
from kws.streaming.rates import MS_PER_HOUR
from kws.streaming.scored_stream import StreamPosteriors

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth

MOST_PEAKS = 30
"""That the tail is fitted to: with more, it would describe the bulk of the scores instead."""
FEWEST_PEAKS = 10
"""With fewer the scale is known to a third of itself, at the best."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tail:
    """An exponential tail.

    Attributes:
      start: log-odds from which it holds: those of the highest peak that is not one of its own.
      scale: in log-odds; peaks become rarer by a factor of e with each.
      peaks: that it was fitted to.
      hours: outside keywords, that they are from.
    """

    start: float
    scale: float
    peaks: int
    hours: float

    def threshold(self, per_hour: float) -> float:
        """The threshold that so many peaks an hour exceed."""
        log_odds = self.start + self.scale * math.log(self.peaks / (per_hour * self.hours))
        return 1 / (1 + math.exp(-log_odds))


def fit_tail(
    streams: Sequence[StreamPosteriors],
    labels: Sequence[str],
    detector: DetectorParams,
    match_params: MatchParams,
) -> Tail | None:
    """The tail of a detector's scores outside keywords.

    Returns:
      None if there are fewer than 10 peaks above the lowest output level, or all are equally high.
    """
    found, outside_ms = [np.zeros(0)], 0
    for one in streams:
        windows = _keyword_windows(one.truth, detector, match_params)
        smoothed = smooth(one.times_ms, one.posteriors, detector, labels)
        found.append(_peaks(smoothed, windows, detector))
        outside_ms += one.truth.duration_ms - sum(end - start for start, end in windows)
    return tail_of(np.concatenate(found), outside_ms / MS_PER_HOUR)


def tail_of(peaks: np.ndarray, hours: float) -> Tail | None:
    """Fits a tail to peaks `[n]`, scores from 0 to 1, of so many hours; see `fit_tail`."""
    log_odds = logit(np.sort(peaks[peaks >= 1 / OUTPUT_LEVELS])[::-1])
    used = min(MOST_PEAKS, len(log_odds) - 1)
    if used < FEWEST_PEAKS:
        return None
    start = float(log_odds[used])
    scale = float(log_odds[:used].mean()) - start  # the maximum of the likelihood
    if scale <= 0:
        return None
    return Tail(start=start, scale=scale, peaks=used, hours=hours)


def _peaks(
    smoothed: SmoothedStream, windows: Sequence[tuple[int, int]], detector: DetectorParams
) -> np.ndarray:
    """The highest scores outside keywords, no two closer than a detection silences the next."""
    from scipy import signal

    stride_ms = detector.clip_stride_ms
    scores = smoothed.keyword_scores.max(axis=1, initial=0.0)
    for start_ms, end_ms in windows:
        first, end = np.searchsorted(smoothed.times_ms, [start_ms, end_ms + 1])
        scores[first:end] = 0.0
    # On a grid: rows may be missing, where the first stage of a cascade let nothing through.
    places = 1 + smoothed.times_ms // stride_ms
    grid = np.zeros(int(places.max(initial=0)) + 2)
    np.maximum.at(grid, places, scores)
    distance = max(1, -(-detector.quiet_ms // stride_ms))
    peaks, _ = signal.find_peaks(grid, height=1 / OUTPUT_LEVELS, distance=distance)
    return np.asarray(grid[peaks])


def _keyword_windows(
    truth: "GroundTruth", detector: DetectorParams, params: MatchParams
) -> list[tuple[int, int]]:
    """Where a keyword is heard, or its detection keeps the detector quiet; apart, in order."""
    windows: list[tuple[int, int]] = []
    for word in sorted(truth.words, key=lambda word: word.start_ms):
        if word.label in RESERVED:
            continue
        start = max(0, word.start_ms - params.before_ms, windows[-1][1] if windows else 0)
        end = min(truth.duration_ms, word.end_ms + params.after_ms + detector.quiet_ms)
        windows.append((start, max(start, end)))
    return windows
