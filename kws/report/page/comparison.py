"""This model beside the last one in service."""

from collections.abc import Mapping
from typing import Any

from kws.gates import Gate, figure
from kws.report.page.facts import Earlier, Facts
from kws.report.page.html import Html, join, note, table, tag
from kws.report.page.section import Section, interval, number, percent


def section(facts: Facts) -> Section:
    parts: list[object] = []
    last = facts.streaming.get("against_last")
    if last is None and facts.earlier is None:
        words = "There was no model in service to compare with."
        return Section(key="comparison", title="Against the last blessed run", body=note(words))
    if last is not None:
        parts += _streams(last)
    gates = [gate for gate in facts.gates if "_diff" in gate.name or "against_last" in gate.name]
    if gates:
        parts += [tag("h3", "Gates on the difference"), _gates(gates)]
    if facts.earlier is not None:
        parts += [tag("h3", f"Figures of the last bundle, {facts.earlier.version}")]
        parts.append(_figures(facts, facts.earlier))
    return Section(key="comparison", title="Against the last blessed run", body=join(parts))


def _streams(last: Mapping[str, Any]) -> list[Html]:
    if "not_compared" in last:
        return [note(f"Not compared on streams: {last['not_compared']}")]
    rows = [
        [what, last[key]["candidate"], last[key]["last"], last[key]["both"],
         percent(last[key]["chance"])]
        for what, key in (("misses", "misses"), ("false accepts", "false_accepts"))
    ]  # fmt: skip
    return [
        table(
            "Errors on the same streams",
            ["", "this model alone", "the last alone", "both", "chance if alike"],
            rows,
        ),
        note(
            f"On the same {last['words']} words and {last['hours']:.2f} h. The chance is that a "
            "model as good as the last one would make so many of the errors that only one of them "
            "made; below 2.5 % this one is refused."
        ),
    ]


def _gates(gates: list[Gate]) -> Html:
    rows = [
        [
            tag("span", gate.name, class_="mono"),
            figure(gate.value),
            f"{'≤' if gate.at_most else '≥'} {figure(gate.limit)}",
            tag("td", gate.detail, class_="wide"),
        ]
        for gate in gates
    ]
    return table(
        "Gates on the difference", ["gate", "measured", "limit", "rests on"], rows, words=(3,)
    )


def _figures(facts: Facts, earlier: Earlier) -> Html:
    was = earlier.evaluation
    now_total = facts.streaming["test"]["total"]
    was_total = was["streaming"]["test"]["total"]
    rows = []
    for what, key, share in (
        ("keywords missed (95 %)", "miss_rate", True),
        ("false accepts an hour (95 %)", "false_accepts_per_hour", False),
    ):
        rows.append([what, interval(now_total[key], share), interval(was_total[key], share)])
    accuracy = was["clips"]["accuracy"]["estimate"] if "clips" in was else None
    now_accuracy = facts.matrix.accuracy.estimate if facts.matrix else None
    rows.append(["accuracy on clips", percent(now_accuracy), percent(accuracy)])
    for what, key in (
        ("flash, bytes", "flash_bytes"),
        ("arena, bytes", "arena_bytes"),
        ("multiply-adds", "macs"),
    ):
        rows.append([what, number(facts.device[key]), number(was["micro"][key])])
    return join(
        [
            table("Figures of both", ["", "this run", "the last bundle"], rows),
            note("Each on the test data of its own run, which may have grown since."),
        ]
    )
