"""First of all: was it pushed, what are its figures, and what did each gate say."""

from collections.abc import Sequence

from kws.gates import Gate, figure
from kws.report.page.bounds import bounds
from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, more, note, table, tag
from kws.report.page.section import ABSENT, Section, between, number, percent


def section(facts: Facts) -> Section:
    failed = [gate for gate in facts.gates if not gate.passed]
    body = join(
        [
            _banner(facts, failed),
            _cards(facts),
            *(note(f"False accepts: {caveat}.") for caveat in _caveats(facts)),
            _gates(facts, failed),
        ]
    )
    return Section(key="verdict", title="Verdict and gates", body=body)


def _banner(facts: Facts, failed: Sequence[Gate]) -> Html:
    words: list[Html | None]
    if facts.pushed_to is not None:
        words = [tag("strong", "Pushed"), tag("code", facts.pushed_to)]
    else:
        words = [
            tag("strong", "Not pushed"),
            tag("span", "The last bundle, if any, stays as it is."),
            tag("ul", *(tag("li", gate.sentence()) for gate in failed)) if failed else None,
        ]
    return tag("div", *words, class_=f"banner {'good' if facts.pushed_to else 'bad'}")


def _caveats(facts: Facts) -> list[str]:
    return facts.streaming["test"]["caveats"]


def _cards(facts: Facts) -> Html:
    """The four or five figures that are asked for first."""
    test = facts.streaming["test"]
    total, hours = test["total"], sum(test["hours"].values())
    miss, rate = total["miss_rate"], total["false_accepts_per_hour"]
    cards = [
        _card(
            "Keywords missed",
            percent(miss["estimate"]),
            f"95 %: {between(miss['low'], miss['high'], True)}; "
            f"{miss['count']} of {total['words']} words",
        ),
        _card(
            "False accepts an hour",
            number(rate["estimate"]),
            f"95 %: {between(rate['low'], rate['high'], False)}; {rate['count']} in {hours:.2f} h",
        ),
    ]
    if facts.matrix is not None and facts.matrix.total:
        accuracy = facts.matrix.accuracy
        bounds = between(accuracy.low, accuracy.high, True)
        cards.append(
            _card(
                "Accuracy on clips",
                percent(accuracy.estimate),
                f"95 %: {bounds}; {facts.matrix.total:,} clips",
            )
        )
    if total.get("latency_ms_median") is not None:
        cards.append(
            _card(
                "After the word's end",
                f"{total['latency_ms_median']:.0f} ms",
                f"median; 95 % within {total['latency_ms_p95']:.0f} ms",
            )
        )
    arena = f"{facts.device['arena_bytes'] / 1024:.1f} KiB"
    flash = f"{facts.conversion['model_bytes'] / 1024:.1f} KiB"
    cards.append(_card("Size", flash, f"of flash, and {arena} of arena"))
    return tag("dl", *cards, class_="cards")


def _card(what: str, value: object, rests_on: object) -> Html:
    return tag("div", tag("dt", what), tag("dd", tag("b", value), tag("small", rests_on)))


def _gates(facts: Facts, failed: Sequence[Gate]) -> Html:
    """Those that failed and those on the whole in the open; per-class ones that passed folded."""
    gates = facts.gates
    shown = [gate for gate in gates if not gate.passed or "/" not in gate.name]
    rest = [gate for gate in gates if gate not in shown]
    return join(
        [
            tag("h3", f"Gates: {len(gates) - len(failed)} of {len(gates)} passed"),
            note(
                "All must pass. The margin is the room left to the limit (negative: by how much "
                "it failed), in the figure's own unit. The bounds say what chance alone may do."
            ),
            _gate_table("Gates", shown, facts),
            more(
                f"{len(rest)} gates of single classes, all passed",
                _gate_table("Of classes", rest, facts),
            )
            if rest
            else None,
        ]
    )


def _gate_table(caption: str, gates: Sequence[Gate], facts: Facts) -> Html:
    rows = [
        [
            tag("span", gate.name, class_="mono"),
            tag("span", "passed" if gate.passed else "FAILED", class_=_mark(gate)),
            _measured(gate, facts),
            f"{'≤' if gate.at_most else '≥'} {figure(gate.limit)}",
            f"{'+' if gate.margin >= 0 else ''}{figure(gate.margin)}",
            tag("td", gate.detail, class_="wide"),
        ]
        for gate in gates
    ]
    header = ["gate", "verdict", "measured (95 %)", "limit", "margin", "rests on"]
    return table(caption, header, rows, words=(1, 5))


def _measured(gate: Gate, facts: Facts) -> Html:
    """The value with its unit, and below it the bounds."""
    short = len(gate.unit) < 7
    said = bounds(gate, facts)
    return join(
        [
            f"{figure(gate.value)} {gate.unit}".strip() if short else figure(gate.value),
            None if short else tag("small", gate.unit),
            None if said == ABSENT else tag("small", said),
        ]
    )


def _mark(gate: Gate) -> str:
    return "pill good" if gate.passed else "pill bad"
