"""Tables for a terminal: classes, confusions, gates, streams; and what was left out of a folder."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from kws.gates import Gate, figure
from kws.report.confusion import ConfusionMatrix
from kws.splits import EVAL, TEST
from kws.streaming.figures import KINDS
from kws.terminal import Terminal

MISSING = "-"
"""Stands for a figure that nothing was measured for."""
SHOWN_LEFT_OUT = 10


def per_class_table(matrix: ConfusionMatrix) -> Table:
    """Precision, recall, false-positive rate and number of clips of each label."""
    table = Table(title=f"Clips: accuracy {matrix.accuracy}" if matrix.total else "Clips: none")
    _columns(table, "label", "precision", "recall", "false positives", "clips")
    for row in matrix.per_class():
        table.add_row(
            row.label,
            _percent(row.precision),
            _percent(row.recall),
            _percent(row.false_positive_rate, 2),
            str(row.count),
        )
    return table


def confusion_table(matrix: ConfusionMatrix) -> Table:
    """Rows are what was said, columns what the model heard; empty cells are zeros."""
    table = Table(title="Confusion matrix (rows: said, columns: heard)")
    _columns(table, "", *matrix.labels)
    for i, (label, counts) in enumerate(zip(matrix.labels, matrix.counts, strict=True)):
        cells: list[str | Text] = [str(count) if count else "" for count in counts]
        cells[i] = Text(str(counts[i]), "bold")
        table.add_row(label, *cells)
    return table


def gates_table(gates: Sequence[Gate], details: bool = True) -> Table:
    """Every gate with its figure, its limit, by how much it passed or failed, and why.

    Args:
      gates: in the order shown.
      details: with what each figure rests on, which needs a wide page.
    """
    table = Table(title="Gates")
    table.add_column("gate", overflow="fold")
    for name in ("measured", "limit", "margin", "verdict"):
        table.add_column(name, justify="right", no_wrap=True)
    if details:
        table.add_column("rests on", overflow="fold")
    for gate in gates:
        cells = [
            Text.assemble(f"{gate.name} ", (gate.unit, "dim")) if gate.unit else gate.name,
            figure(gate.value),
            f"{'<=' if gate.at_most else '>='} {figure(gate.limit)}",
            f"{'+' if gate.margin >= 0 else ''}{figure(gate.margin)}",
            verdict(gate.passed),
        ]
        table.add_row(*cells, *([gate.detail] if details else []))
    return table


def verdict(passed: bool) -> Text:
    """Of a gate."""
    return Text("passed", "green") if passed else Text("FAILED", "red")


def streaming_table(report: Mapping[str, Any]) -> Table:
    """Hits, misses, wrong words, false accepts and latency, of each keyword and in total.

    Args:
      report: `StreamingReport.to_dict()`, or what `evaluation.json` holds under `test` or `eval`.
    """
    hours = ", ".join(f"{report['hours'][kind]:.2f} h {kind}" for kind in KINDS)
    threshold = report["detector"]["detection_threshold"]
    table = Table(title=f"Streams: {hours}; threshold {threshold:g}")
    _columns(
        table, "keyword", "words", "hits", "wrong", "missed", "miss rate (95 %)",
        "false accepts", "per hour (95 %)", "in negatives", "latency ms",
    )  # fmt: skip
    for label, figures in report["per_keyword"].items():
        table.add_row(*_stream_row(label, figures))
    table.add_section()
    table.add_row(*_stream_row("total", report["total"]), style="bold")
    return table


def sensitivities_table(sensitivities: Mapping[str, Any]) -> Table:
    """The errors of each named sensitivity, with their bounds.

    Args:
      sensitivities: `Sensitivities.to_dict()`, or the section of `evaluation.json`.
    """
    table = Table(title="Sensitivities")
    _columns(
        table, "sensitivity", "false accepts/h wanted", "threshold",
        "eval: per hour (95 %)", "missed (95 %)", "test: per hour (95 %)", "missed (95 %)",
    )  # fmt: skip
    for name, one in sensitivities["points"].items():
        default = " (default)" if name == sensitivities["default"] else ""
        target = f"{one['target_false_accepts_per_hour']:g}"
        threshold = f"{one['detection_threshold']:.4g}"
        errors = [
            cell for split in (EVAL, TEST) for cell in error_cells(one["measured"].get(split))
        ]
        table.add_row(name + default, target, threshold, *errors)
    return table


def error_cells(errors: Mapping[str, Any] | None) -> list[str]:
    """False accepts per hour with the hours they rest on, and misses, both with bounds."""
    per_hour = missed = MISSING
    rate, miss = ((errors or {}).get(key) for key in ("false_accepts_per_hour", "miss_rate"))
    if rate and rate["exposure"]:
        per_hour = (
            f"{rate['estimate']:.2f} ({rate['low']:.2f} to {rate['high']:.2f}; {rate['count']} in "
            f"{rate['exposure']:.2f} h)"
        )
    if miss and miss["exposure"]:
        missed = f"{miss['estimate']:.1%} ({miss['low']:.1%} to {miss['high']:.1%})"
    return [per_hour, missed]


def conditions_table(report: Mapping[str, Any]) -> Table | None:
    """Misses and false accepts in each condition; None where the streams are one mixture.

    Args:
      report: as for `streaming_table`.
    """
    conditions = report.get("per_condition")
    if not conditions:
        return None
    table = Table(title="Streams by condition")
    _columns(table, "condition", "words", "missed", "miss rate (95 %)", "false accepts")
    for name, figures in conditions.items():
        hourly = figures["false_accepts_per_hour"]
        table.add_row(
            name,
            str(figures["words"]),
            str(figures["misses"]),
            _miss_rate(figures["miss_rate"]),
            f"{hourly['count']} in {hourly['exposure']:.2f} h",
        )
    return table


def to_text(renderable: RenderableType, width: int = 140) -> str:
    """The table as plain text without colours, for logs and files."""
    console = Terminal(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _stream_row(label: str, figures: Mapping[str, Any]) -> list[str]:
    negatives = figures["false_accepts_per_hour_by_kind"]["negatives"]
    quiet = latency = MISSING
    if negatives["exposure"]:
        quiet = f"{negatives['count']} in {negatives['exposure']:.2f} h"
    if figures["hits"]:
        latency = f"{figures['latency_ms_median']:.0f}, p95 {figures['latency_ms_p95']:.0f}"
    counts = (figures[name] for name in ("words", "hits", "wrong_words", "misses"))
    return [
        label,
        *(str(count) for count in counts),
        _miss_rate(figures["miss_rate"]),
        str(figures["false_accepts"]),
        _per_hour(figures["false_accepts_per_hour"]),
        quiet,
        latency,
    ]


def _miss_rate(rate: Mapping[str, Any]) -> str:
    if not rate["exposure"]:
        return MISSING
    return f"{rate['estimate']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})"


def _per_hour(rate: Mapping[str, Any]) -> str:
    if not rate["exposure"]:
        return MISSING
    return f"{rate['estimate']:.2f} ({rate['low']:.2f} to {rate['high']:.2f})"


def _columns(table: Table, first: str, *others: str) -> None:
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right")


def _percent(value: float, digits: int = 1) -> str:
    return MISSING if math.isnan(value) else f"{value:.{digits}%}"


def print_left_out(console: Terminal, left_out: Mapping[str, object]) -> None:
    """Prints how many files were left out, and the first of them with their reasons."""
    if not left_out:
        return
    console.print(f"Left out: {len(left_out)}", style="yellow", highlight=False)
    for name, why in list(left_out.items())[:SHOWN_LEFT_OUT]:
        console.print(f"  {name}: {why}", highlight=False, soft_wrap=True)
    if len(left_out) > SHOWN_LEFT_OUT:
        console.print(f"  and {len(left_out) - SHOWN_LEFT_OUT} more", highlight=False)
