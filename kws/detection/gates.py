"""The streaming gates: a report on the test streams held against the configured limits."""

import math

from kws.detection import rates
from kws.detection.evaluate import StreamingReport
from kws.detection.params import StreamingGateParams
from kws.detection.rates import HourlyRate, Share
from kws.gates import Gate

MINIMUM_HOURS = 0.01
"""36 s: less is no evaluation. It keeps a run without streams from blessing anything."""

CONDITION_GATE = "miss_rate_of_condition"
QUANTILES = {"median": 0.5, "p95": 0.95}


def streaming_gates(report: StreamingReport, params: StreamingGateParams) -> list[Gate]:
    """The gates of a report: always `streaming.evaluated_hours`, then one for each limit set.

    Without any limit a model is blessed as soon as streams were evaluated at all; the first
    gate's detail then says that nothing else was asked. A figure without any exposure (a miss rate
    of no words, a latency of no hits) is NaN and fails its gate.

    The limit on the miss rate of a condition holds for the hardest one, or for each that is named;
    a condition of too few words does not pass. Where no hours of recordings are required, the gate
    on false accepts says in words what it does not rest on.

    With `on_bound` a gate's value is the upper 95 % bound, and the gate of the false accepts says
    how many hours it would take to pass, that of the latency how many hits. The comparison with
    the last blessed model has gates of its own: `kws.detection.compare`.
    """
    total = report.total
    limits = (
        params.max_false_accepts_per_hour,
        params.max_miss_rate,
        params.max_miss_rate_of_condition,
        params.min_recorded_hours,
        params.max_wrong_word_rate,
        params.max_latency_ms,
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
            detail = f"upper 95 % bound of {rate}{rates.hours_needed(rate, limit)}"
        if params.min_recorded_hours is None:
            detail = "; ".join([detail, *report.caveats])
        gates.append(
            _gate("false_accepts_per_hour", rate, limit, params.on_bound, detail, unit="/h")
        )
    if params.min_recorded_hours is not None:
        gates.append(_recorded_gate(report, params.min_recorded_hours))
    for name, share, share_limit in (
        ("miss_rate", total.miss_rate, params.max_miss_rate),
        ("wrong_word_rate", total.wrong_word_rate, params.max_wrong_word_rate),
    ):
        if share_limit is not None:
            detail = f"{share} words, in {hours:.2f} h"
            if params.on_bound:
                detail = f"upper 95 % bound of {detail}"
            gates.append(_gate(name, share, share_limit, params.on_bound, detail))
    gates += _condition_gates(report, params)
    if params.max_latency_ms is not None:
        gates.append(_latency_gate(report, params, params.max_latency_ms))
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


def _recorded_gate(report: StreamingReport, minimum_hours: float) -> Gate:
    recorded, synthesized = (report.negatives[kind] for kind in ("recorded", "synthesized"))
    return Gate(
        name="streaming.recorded_hours",
        value=recorded.exposure,
        limit=minimum_hours,
        at_most=False,
        unit="h",
        detail=(
            f"of recordings without a keyword: {recorded}; of synthesized speech "
            f"{synthesized.exposure:.2f} h"
            f"{rates.recorded_hours_missing(recorded.exposure, minimum_hours)}"
        ),
    )


def _condition_gates(report: StreamingReport, params: StreamingGateParams) -> list[Gate]:
    """Of the hardest condition, or of each that has a limit."""
    limits = params.max_miss_rate_of_condition
    if limits is None:
        return []
    if isinstance(limits, dict):
        return [
            _condition_gate(f"{CONDITION_GATE}/{name}", name, report, limit, params, f"in {name}: ")
            for name, limit in limits.items()
        ]
    if not report.per_condition:
        missing = "no condition was evaluated: name some in streams.conditions"
        return [_unmeasured(CONDITION_GATE, limits, missing)]

    def hardness(name: str) -> tuple[bool, float]:
        figures = report.per_condition[name]
        too_few = figures.words < params.min_words_of_condition
        return too_few, figures.miss_rate.high if params.on_bound else figures.miss_rate.estimate

    hardest = max(report.per_condition, key=hardness)
    said = f"in {hardest}, the hardest of {', '.join(report.per_condition)}: "
    return [_condition_gate(CONDITION_GATE, hardest, report, limits, params, said)]


def _condition_gate(
    gate: str,
    condition: str,
    report: StreamingReport,
    limit: float,
    params: StreamingGateParams,
    said: str,
) -> Gate:
    figures = report.per_condition.get(condition)
    words = figures.words if figures else 0
    if figures is None or words < params.min_words_of_condition:
        missing = (
            f"condition {condition} has {words} words, at least "
            f"{params.min_words_of_condition} are needed: raise streams.minutes"
        )
        return _unmeasured(gate, limit, missing)
    detail = f"{said}{figures.miss_rate} words"
    if params.on_bound:
        detail = f"upper 95 % bound {detail}"
    return _gate(gate, figures.miss_rate, limit, params.on_bound, detail)


def _unmeasured(name: str, limit: float, why: str) -> Gate:
    """Never passes."""
    return Gate(name=f"streaming.{name}", value=math.nan, limit=limit, at_most=True, detail=why)


def _latency_gate(report: StreamingReport, params: StreamingGateParams, limit: float) -> Gate:
    """Of the hits alone: a word that is never detected is a miss, not a late detection."""
    total, quantile = report.total, QUANTILES[params.latency]
    value = total.latency_ms_median if params.latency == "median" else total.latency_ms_p95
    detail = (
        f"{'median' if params.latency == 'median' else '95th percentile'} of {total.hits} hits, "
        "from the word's end"
    )
    if params.on_bound and total.hits:
        latencies = [
            outcome.latency_ms
            for matched in report.matched.values()
            for outcome in matched.outcomes
            if outcome.latency_ms is not None
        ]
        detail = f"upper 95 % bound of the {detail}; estimate {value:.0f} ms"
        value = rates.quantile_bound(latencies, quantile)
        if math.isinf(value):
            needed = rates.hits_needed(quantile)
            detail += f"; there is no bound with fewer than {needed} hits"
    return Gate(
        name=f"streaming.latency_{params.latency}",
        value=value,
        limit=limit,
        at_most=True,
        unit="ms",
        detail=detail if total.hits else "nothing to measure it on",
    )
