"""The streaming gates: a report on the test streams held against the configured limits."""

import math

from kws.gates import Gate
from kws.streaming.evaluate import StreamingReport
from kws.streaming.params import StreamingGateParams
from kws.streaming.rates import HourlyRate, Share, more_quiet_hours

MINIMUM_HOURS = 0.01
"""36 s: less is no evaluation. It keeps a run without streams from blessing anything."""


def streaming_gates(report: StreamingReport, params: StreamingGateParams) -> list[Gate]:
    """The gates of a report: always `streaming.evaluated_hours`, then one for each limit set.

    Without any limit a model is blessed as soon as streams were evaluated at all; the first
    gate's detail then says that nothing else was asked. A figure without any exposure (a miss rate
    of no words) is NaN and fails its gate.

    With `on_bound` a gate's value is the upper 95 % bound, and the false-accept gate says how many
    more hours without a false accept it would take to pass.
    """
    total = report.total
    limits = (
        params.max_false_accepts_per_hour,
        params.max_miss_rate,
        params.max_wrong_word_rate,
    )
    hours = sum(report.hours.values())
    detail = f"{report.hours['words']:.2f} h with words, {report.hours['negatives']:.2f} h without"
    if all(limit is None for limit in limits):
        detail += "; no streaming limit is configured, so nothing else is asked"
    gates = [
        Gate(
            name="streaming.evaluated_hours",
            value=hours,
            limit=MINIMUM_HOURS,
            at_most=False,
            unit="h",
            detail=detail,
        )
    ]
    if params.max_false_accepts_per_hour is not None:
        limit = params.max_false_accepts_per_hour
        rate = total.false_accepts_per_hour
        detail = str(rate)
        if params.on_bound:
            detail = f"upper 95 % bound of {rate}{_more_hours(rate, limit)}"
        gates.append(
            _gate("false_accepts_per_hour", rate, limit, params.on_bound, detail, unit="/h")
        )
    for name, share, share_limit in (
        ("miss_rate", total.miss_rate, params.max_miss_rate),
        ("wrong_word_rate", total.wrong_word_rate, params.max_wrong_word_rate),
    ):
        if share_limit is not None:
            detail = f"{share} words, in {hours:.2f} h"
            if params.on_bound:
                detail = f"upper 95 % bound of {detail}"
            gates.append(_gate(name, share, share_limit, params.on_bound, detail))
    return gates


def _gate(
    name: str, rate: HourlyRate | Share, limit: float, on_bound: bool, detail: str, unit: str = ""
) -> Gate:
    measured = not math.isnan(rate.estimate)
    return Gate(
        name=f"streaming.{name}",
        value=rate.high if on_bound and measured else rate.estimate,
        limit=limit,
        at_most=True,
        unit=unit,
        detail=detail if measured else "nothing to measure it on",
    )


def _more_hours(rate: HourlyRate, limit: float) -> str:
    more = more_quiet_hours(rate, limit)
    if more == 0:
        return ""
    if math.isinf(more):
        return "; a bound is never 0, however many hours are evaluated"
    return f"; {more:.2f} more hours without a false accept would pass"
