"""Rates with their uncertainty: exact 95 % bounds for counts per hour and for proportions.

Both intervals are two-sided and exact (never narrower than 95 %), which matters because a good
spotter makes few errors or none: no false accept in one hour is not "0 per hour" but "at most
3.69". The module also computes how much material a bound requires: hours for a rate, hits for a
percentile.
"""

import collections
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kws.detection.match import FalseAccept, Outcome

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
      low: lower one of the two-sided 95 % bounds.
      high: the upper one.
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


LONGEST_HOURS = 1e6
ENOUGH_RECORDED_HOURS = 0.5
"""Of recordings without keywords; with less, a report says so in words."""


def recorded_speech_caveat(recorded_hours: float, synthesized_hours: float) -> str:
    """What to say beside false accepts that do not rest on recordings; "" if they do.

    Args:
      recorded_hours: without a keyword, recorded.
      synthesized_hours: without a keyword, of text-to-speech voices.
    """
    if recorded_hours >= ENOUGH_RECORDED_HOURS:
        return ""
    if recorded_hours:
        held = f"only {recorded_hours:.2f} h of recordings without a keyword were evaluated"
        return f"hardly judged against recorded speech: {held}"
    if synthesized_hours:
        held = f"only {synthesized_hours:.2f} h of synthesized speech were evaluated"
    else:
        held = "no stream without keywords was evaluated, only the words themselves"
    return f"not judged against recorded speech: {held}"


def recorded_hours_missing(recorded_hours: float, minimum_hours: float) -> str:
    """What a gate on recorded hours adds to its detail: how many are missing, and where they come
    from; "" if there are enough."""
    missing = minimum_hours - recorded_hours
    if missing <= 0:
        return ""
    return (
        f"; {missing:.2f} more hours of recordings without a keyword are needed in the test split: "
        "kws run --with CORPUS (kws corpus list), or data.sources: [{negatives: FOLDER}], of which "
        "FOLDER/test/ is used in full, and of what lies in no such folder "
        "ingest.held_out_negatives_percentage"
    )


def hours_needed(rate: HourlyRate, limit: float) -> str:
    """What a gate on the bound adds to its detail: the hours it would take to pass; "" if it does.

    Two answers, for what the next hours bring is not known: how many more hours would do if not
    one more false accept came, and how many there would have to be in all if they went on coming
    at the rate measured.
    """
    more = more_quiet_hours(rate, limit)
    if more == 0 or math.isnan(rate.estimate):
        return ""
    if math.isinf(more):
        return "; a bound is never 0, however many hours are evaluated"
    text = f"; {more:.2f} more hours without a false accept would pass"
    if rate.count == 0:
        return text
    if rate.estimate >= limit:
        return f"{text}; at this rate no number of hours would: the estimate is above the limit"
    return f"{text}, or {hours_at_this_rate(rate.estimate, limit):.3g} h in all at this rate"


def hours_at_this_rate(per_hour: float, limit: float) -> float:
    """Hours after which the upper bound of a steady rate below the limit comes down to the limit.

    The count is taken as `per_hour` times the hours, whole or not: Garwood's bound (see
    `rates.hourly_rate`) is defined in between as well. Infinity beyond a million hours.
    """
    from scipy import optimize, stats

    def above(hours: float) -> float:
        return float(stats.chi2.ppf(1 - _TAIL, 2 * (per_hour * hours + 1)) / 2 - limit * hours)

    if per_hour >= limit or above(LONGEST_HOURS) > 0:
        return math.inf
    return float(optimize.brentq(above, 0.0, LONGEST_HOURS))


def quantile_bound(values: Sequence[float], quantile: float) -> float:
    """Upper 95 % bound (two-sided) of a distribution's quantile, whatever the distribution.

    The k-th smallest of n values is above the quantile unless k or more of them fall below it, of
    which the binomial distribution tells the chance (W. J. Conover, "Practical Nonparametric
    Statistics", 3rd ed. 1999, section 3.2). Infinity where n is too small for any of them.
    """
    from scipy import stats

    ordered = sorted(values)
    # The first k with P(fewer than k of n below the quantile) of at least 97.5 %.
    k = int(stats.binom.ppf(1 - _TAIL, len(ordered), quantile)) + 1
    return float(ordered[k - 1]) if k <= len(ordered) else math.inf


def hits_needed(quantile: float) -> int:
    """The fewest values of which the greatest is an upper bound: 6 for the median, 72 for p95."""
    return math.ceil(math.log(_TAIL) / math.log(quantile))


KINDS = ("words", "negatives")
"""Of streams: words over background, and long recordings in which no keyword is said."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """Errors over some streams, of one keyword or of all.

    Attributes:
      words: keywords said.
      hits: detected as what they were.
      wrong_words: another keyword was detected instead; a part of the misses.
      misses: not detected as what they were: words - hits.
      false_accepts: detections of what was not said, wrong words among them.
      false_accepts_by_cause: see `kws.detection.match.FalseAccept`.
      miss_rate: misses, as a share of the words.
      wrong_word_rate: wrong words, as a share of the words.
      false_accepts_per_hour: over all hours, those with words and those without.
      false_accepts_per_hour_by_kind: over the streams of each kind; negatives are the ones to
        compare with other spotters, for words streams say far more words an hour than people do.
      latency_ms_median: of the hits, from the word's end to the detection (negative: before its
        end); NaN without a hit.
      latency_ms_p95: the same time, which 95 % of the hits do not exceed.
    """

    words: int
    hits: int
    wrong_words: int
    misses: int
    false_accepts: int
    false_accepts_by_cause: dict[str, int]
    miss_rate: Share
    wrong_word_rate: Share
    false_accepts_per_hour: HourlyRate
    false_accepts_per_hour_by_kind: dict[str, HourlyRate]
    latency_ms_median: float
    latency_ms_p95: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON; NaN becomes None."""
        values: dict[str, Any] = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self)
        }
        for name, value in values.items():
            if isinstance(value, Share | HourlyRate):
                values[name] = value.to_dict()
            elif isinstance(value, float) and math.isnan(value):
                values[name] = None
        values["false_accepts_per_hour_by_kind"] = {
            kind: rate.to_dict() for kind, rate in self.false_accepts_per_hour_by_kind.items()
        }
        return values


def count(
    outcomes: Sequence[Outcome],
    accepts: Mapping[str, Sequence[FalseAccept]],
    hours: Mapping[str, float],
) -> Figures:
    """Counts outcomes, and false accepts and hours by kind of stream."""
    kinds = collections.Counter(outcome.kind for outcome in outcomes)
    causes = collections.Counter(accept.cause for some in accepts.values() for accept in some)
    latencies = [outcome.latency_ms for outcome in outcomes if outcome.latency_ms is not None]
    words = len(outcomes)
    false_accepts = sum(causes.values())
    return Figures(
        words=words,
        hits=kinds["hit"],
        wrong_words=kinds["wrong_word"],
        misses=words - kinds["hit"],
        false_accepts=false_accepts,
        false_accepts_by_cause={
            cause: causes[cause] for cause in ("wrong_word", "repeat", "unknown_word", "background")
        },
        miss_rate=share(words - kinds["hit"], words),
        wrong_word_rate=share(kinds["wrong_word"], words),
        false_accepts_per_hour=hourly_rate(false_accepts, sum(hours.values())),
        false_accepts_per_hour_by_kind={
            kind: hourly_rate(len(some), hours[kind]) for kind, some in accepts.items()
        },
        latency_ms_median=float(np.median(latencies)) if latencies else math.nan,
        latency_ms_p95=float(np.percentile(latencies, 95)) if latencies else math.nan,
    )
