"""One threshold for one target rate: by counting false accepts, or by the tail of the scores."""

import dataclasses
import itertools
import statistics
from collections.abc import Callable, Sequence

from kws.streaming.det import DetCurves, DetPoint, logit
from kws.streaming.tail import FEWEST_PEAKS, Tail


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
