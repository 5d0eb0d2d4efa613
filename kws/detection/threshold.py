"""Chooses a threshold for a target rate, by counting false accepts or from the tail of the scores.

In 8 hours without a false accept, a rate of 0.05 an hour cannot be told from 0.01. What can be
measured is how high the score's peaks rise where no keyword is said, and how fast they become
rarer. The highest peaks, in log-odds, are assumed to fall off exponentially:

    peaks an hour above x  =  k / hours · exp(-(x - start) / scale)

This is the peaks-over-threshold method (S. Coles, "An Introduction to Statistical Modeling of
Extreme Values", 2001, chapter 4) with shape 0, which fits most distributions without a heavy tail.
"""

import dataclasses
import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kws.detection.det import OUTPUT_LEVELS, DetCurves, DetPoint, logit
from kws.detection.detection import SmoothedStream
from kws.detection.detector import smooth
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.detection.rates import MS_PER_HOUR
from kws.labels import RESERVED

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class ThresholdChoice:
    """What was chosen for a target, and on what grounds.

    Attributes:
      point: the threshold and its errors on the eval streams.
      reached: whether it keeps to the target there.
      grounds: half a sentence for a person.
    """

    point: DetPoint
    reached: bool
    grounds: str


def by_count(curves: DetCurves, target: float) -> ThresholdChoice:
    """Among thresholds whose estimated rate is at most the target, the one with fewest misses.

    Then the fewest false accepts. If no threshold reaches the target: the fewest false accepts,
    then the fewest misses. Thresholds that are still equal form a plateau, of which the middle one
    (the upper of two) is taken, as far as can be from both edges.
    """
    points = curves.total.points
    reaching = [point for point in points if point.false_accepts_per_hour <= target]
    if reaching:
        point = _middle_of_best(reaching, lambda p: (p.misses, p.false_accepts))
        return ThresholdChoice(point=point, reached=True, grounds=f"target {target:g} /h reached")
    point = _middle_of_best(points, lambda p: (p.false_accepts, p.misses))
    grounds = f"no threshold reaches the target of {target:g} /h: the one with the fewest"
    return ThresholdChoice(point=point, reached=False, grounds=grounds)


def by_count_or_tail(curves: DetCurves, target: float, tail: Tail | None) -> ThresholdChoice:
    """As `by_count`, but by the tail where the target means less than one event in all hours.

    Then counting cannot tell the target from zero. The lowest threshold without a false accept is
    raised to where the tail has become as rare as the target; rates are compared on the grid of
    the curve's thresholds, upwards. Without a tail it is the middle of those without a false accept
    that miss the fewest.
    """
    points, hours = curves.total.points, curves.total.hours
    if target * hours >= 1:
        return by_count(curves, target)
    quiet = list(itertools.takewhile(lambda p: not p.false_accepts, reversed(points)))[::-1]
    if not quiet:
        return by_count(curves, target)
    too_rare = f"{target:g} /h are less than one false accept in the {hours:.2f} h of eval streams"
    if tail is None:
        point = _middle_of_best(quiet, lambda p: (p.misses, p.false_accepts))
        grounds = (
            f"{too_rare}, and fewer than {FEWEST_PEAKS} peaks of different height outside keywords "
            "say nothing of the rate: the middle of the thresholds with no false accept and the "
            "fewest misses"
        )
        return ThresholdChoice(point=point, reached=True, grounds=grounds)
    wanted = tail.threshold(target)
    point = next((p for p in quiet if p.threshold >= wanted), quiet[-1])
    grounds = (
        f"{too_rare}: extrapolated by an exponential tail of the {tail.peaks} highest peaks of the "
        f"score outside keywords, {_raised(quiet[0], point)}"
    )
    reached = point.threshold >= wanted
    if not reached:
        grounds += f"; the target would need {wanted:.4f}, and the outputs have no such level"
    return ThresholdChoice(point=point, reached=reached, grounds=grounds)


def _raised(lowest: DetPoint, chosen: DetPoint) -> str:
    log_odds = float(logit(chosen.threshold) - logit(lowest.threshold))
    if not log_odds:
        return "which asks no more than the lowest threshold without a false accept"
    return f"{log_odds:.2f} in log-odds above the lowest threshold without a false accept"


def _middle_of_best(
    points: Sequence[DetPoint], cost: Callable[[DetPoint], tuple[int, int]]
) -> DetPoint:
    best = min(cost(point) for point in points)
    plateau = {point.threshold: point for point in points if cost(point) == best}
    return plateau[statistics.median_high(plateau)]
