"""How much must be heard before a bound can be known: hours for a rate, hits for a percentile."""

import math
from collections.abc import Sequence

from kws.streaming.rates import CONFIDENCE, HourlyRate, more_quiet_hours

_TAIL = (1 - CONFIDENCE) / 2
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
