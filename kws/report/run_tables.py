"""Tables for a terminal: runs, and two of them beside each other."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from kws.gates import figure as gate_figure
from kws.report.tables import MISSING, verdict
from kws.terminal import headed, lines

Run = Mapping[str, Any]
"""As `pipeline.runs.listing.Record.to_dict` gives it."""
FIGURES = {
    "accuracy": ("accuracy of clips", True),
    "miss_rate": ("keywords missed", True),
    "false_accepts_per_hour": ("false accepts per hour", False),
    "flash_bytes": ("flash, bytes", False),
    "arena_bytes": ("arena, bytes", False),
    "macs": ("multiply-adds", False),
}
"""Words for a figure, and whether it is a share."""


def runs_table(runs: Sequence[Run]) -> Table:
    """Two lines a run, in the 80 columns of a terminal."""
    table = Table(
        title="Runs (FA/h: false accepts per hour; flash and arena in bytes)",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for name in ("run, started", "result, bundle"):
        table.add_column(name, no_wrap=True)
    table.add_column("gates", overflow="fold")
    for name in ("clips", "missed", "FA/h", "flash", "arena"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in runs:
        figures = run["figures"]
        keys = ("accuracy", "miss_rate", "false_accepts_per_hour", "flash_bytes", "arena_bytes")
        table.add_row(
            lines([run["run"], Text(run["started"][:16].replace("T", " "), "dim")]),
            "\n".join(filter(None, (run["state"], run["version"]))),
            _gates(run["gates"]),
            *(_value(figures.get(key), FIGURES[key][1]) for key in keys),
        )
    return table


def diff_tables(runs: Sequence[Run], changed: Mapping[str, Sequence[Any]]) -> list[Table]:
    """Figures with bounds, gates that passed or failed, settings that differ."""
    names = [run["run"] for run in runs]
    figures = _side_by_side("Figures (95 % bounds)", "figure", names)
    for key, (words, share) in FIGURES.items():
        cells = [run["figures"].get(key) for run in runs]
        if any(cells):
            figures.add_row(words, *(_value(cell, share, bounds=True) for cell in cells))
    figures.add_row("result", *(run["state"] for run in runs))
    gates = _side_by_side("Gates", "gate", names)
    by_name = [{gate["name"]: gate for gate in run["gates"]} for run in runs]
    for name in dict.fromkeys([*by_name[0], *by_name[1]]):
        cells = [found.get(name) for found in by_name]
        # Gates of single classes that passed in both are many, and say little.
        if "/" not in name or not all(cell and cell["passed"] for cell in cells):
            gates.add_row(name, *(_gate(cell) for cell in cells))
    settings = _side_by_side(
        "Settings that differ" if changed else "Settings: the same", "setting", names
    )
    for key, values in changed.items():
        settings.add_row(key, *(_setting(value) for value in values))
    return [figures, gates, settings]


def _side_by_side(title: str, what: str, names: Sequence[str]) -> Table:
    table = Table(title=title)
    table.add_column(what, overflow="fold")
    for name in names:
        table.add_column(name, justify="right", overflow="fold")
    return table


def _gates(gates: Sequence[Mapping[str, Any]]) -> Text:
    if not gates:
        return Text(MISSING)
    failed = [gate["name"] for gate in gates if not gate["passed"]]
    if not failed:
        return Text(f"{len(gates)} passed", "green")
    more = f" and {len(failed) - 2} more" if len(failed) > 2 else ""
    names = f": {', '.join(failed[:2])}{more}"
    return headed(f"{len(failed)} of {len(gates)} failed", names, "red")


def _gate(gate: Mapping[str, Any] | None) -> Text:
    if gate is None:
        return Text(MISSING)
    return Text.assemble(f"{gate_figure(gate['value'])} ", verdict(gate["passed"]))


def _value(figure: Mapping[str, Any] | None, share: bool, bounds: bool = False) -> str:
    if figure is None or figure["value"] is None:
        return MISSING
    text = _number(figure["value"], share)
    if not bounds or figure["low"] is None or figure["high"] is None:
        return text
    return f"{text} ({_number(figure['low'], share)} to {_number(figure['high'], share)})"


def _number(value: float, share: bool) -> str:
    if share:
        return f"{value:.1%}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _setting(value: Any) -> str:
    text = MISSING if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."
