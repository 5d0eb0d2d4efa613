"""Rates that carry their uncertainty: exact 95 % bounds for counts per hour and for shares.

Both intervals are two-sided and exact (never narrower than 95 %), which matters because a good
spotter has few errors or none: no false accept in one hour is not "0 per hour" but "at most 3.69".
"""

import dataclasses
import math
from typing import Any

MS_PER_HOUR = 3_600_000
CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rate:
    """A counted rate.

    Attributes:
      count: events seen.
      exposure: what they were seen in: hours, or trials (words, clips).
      estimate: count / exposure; NaN where exposure is 0.
      low, high: two-sided 95 % bounds.
    """

    count: int
    exposure: float
    estimate: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON: a value that is not finite becomes None."""
        values = dataclasses.asdict(self)
        return {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in values.items()
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class HourlyRate(Rate):
    """Events per hour; `exposure` is in hours."""

    def __str__(self) -> str:
        if not self.exposure:
            return "not measured: there was nothing to listen to"
        return (
            f"{self.estimate:.2f} /h (95 %: {self.low:.2f} to {self.high:.2f}; "
            f"{self.count} in {self.exposure:.2f} h)"
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Share(Rate):
    """Events per trial, from 0 to 1; `exposure` is the number of trials."""

    def __str__(self) -> str:
        if not self.exposure:
            return "not measured: there was none of what is counted"
        return (
            f"{self.estimate:.1%} (95 %: {self.low:.1%} to {self.high:.1%}; "
            f"{self.count} of {self.exposure:.0f})"
        )


def poisson_upper_count(count: int) -> float:
    """The largest mean that `count` events do not contradict: 3.689 for none."""
    from scipy import stats

    return float(stats.chi2.ppf(1 - _TAIL, 2 * (count + 1)) / 2)


def hourly_rate(count: int, hours: float) -> HourlyRate:
    """Events per hour with Garwood's exact Poisson bounds.

    F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936): half the
    chi-square quantiles at 2 n and 2 (n + 1) degrees of freedom.

    Raises:
      ValueError: count or hours is negative.
    """
    from scipy import stats

    if count < 0 or hours < 0:
        raise ValueError(f"count={count} in hours={hours:g}: neither can be negative")
    if hours == 0:
        return HourlyRate(count=count, exposure=0.0, estimate=math.nan, low=0.0, high=math.inf)
    low = float(stats.chi2.ppf(_TAIL, 2 * count) / 2) if count else 0.0
    return HourlyRate(
        count=count,
        exposure=float(hours),
        estimate=count / hours,
        low=low / hours,
        high=poisson_upper_count(count) / hours,
    )


def more_quiet_hours(rate: HourlyRate, limit: float) -> float:
    """Hours without one more event after which the upper bound would be at most `limit`.

    0 where it is already; infinity where the limit is 0.
    """
    if limit <= 0:
        return math.inf
    return max(0.0, poisson_upper_count(rate.count) / limit - rate.exposure)


def share(count: int, trials: int) -> Share:
    """Events per trial with the exact bounds of Clopper and Pearson (Biometrika 26, 1934).

    Raises:
      ValueError: count is not within 0 and trials.
    """
    from scipy import stats

    if not 0 <= count <= trials:
        raise ValueError(f"count={count} of trials={trials}: it must be from 0 to {trials}")
    if trials == 0:
        return Share(count=0, exposure=0, estimate=math.nan, low=0.0, high=1.0)
    low = float(stats.beta.ppf(_TAIL, count, trials - count + 1)) if count else 0.0
    high = float(stats.beta.ppf(1 - _TAIL, count + 1, trials - count)) if count < trials else 1.0
    return Share(count=count, exposure=trials, estimate=count / trials, low=low, high=high)
