"""Tables for a terminal: classes, confusions, gates, streams, a corpus, the trials of a search."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from kws.detection.rates import KINDS
from kws.gates import Gate, figure
from kws.report import data_statistics
from kws.report.confusion import ConfusionMatrix
from kws.report.data_statistics import ALL, SLICED_BY, Figures, combined
from kws.splits import EVAL, SPLITS, TEST
from kws.terminal import Terminal
from kws.training.tuning import TrialResult, TuningReport

MISSING = "-"
"""Stands for a figure that nothing was measured for."""
SHOWN_LEFT_OUT = 10
MEASURES = ("minutes", "level dBFS", "clipped", "silence")
"""Columns of a corpus' tables."""
_ENDED_BY = {
    "": "not over yet",
    "budget": "the budget was used up",
    "max_trials": "max_trials were made",
    "space": "the space has nothing new",
    "refusals": "too many in a row did not come through",
}
_TRIAL_FIGURES = ("eval accuracy", "parameters", "cross entropy", "MACs", "epochs", "s")


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
    """Rows are labels, columns predictions; empty cells are zeros."""
    table = Table(title="Confusion matrix (rows: label, columns: prediction)")
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


def corpus_tables(splits: Mapping[str, data_statistics.Table]) -> list[Table]:
    """One table by split, one by label, one by source; the means are over clips.

    Args:
      splits: the figures of each split.
    """
    by_split = _empty_corpus_table("split", "clips")
    wholes = {split: splits[split][ALL].get(ALL, Figures()) for split in SPLITS if split in splits}
    for split, figures in wholes.items():
        by_split.add_row(split, f"{figures.clips:,}", *_measures(figures))
    by_split.add_section()
    whole = combined(wholes.values())
    by_split.add_row("all", f"{whole.clips:,}", *_measures(whole), style="bold")
    # Statistics that are not sliced, as of a run before slices, say nothing of labels and sources.
    groups = [group for group in SLICED_BY if any(split[group] for split in splits.values())]
    return [by_split, *(_corpus_table(group, splits) for group in groups)]


def tuning_table(report: TuningReport, most: int | None = None, details: bool = True) -> Table:
    """A row a trial, best first, then those that did not come through.

    Args:
      report: of the search.
      most: rows at most; None shows all.
      details: a column for each path and all figures, which needs a wide page.
    """
    rest = [trial for trial in report.trials if trial.score is None]
    rows = [*report.ranking, *rest]
    table = Table(
        title=f"Tuner: {len(rows)} trials ({len(rest)} refused or failed) in "
        f"{report.minutes:.1f} of {report.tuning.budget_minutes:g} minutes; "
        f"{_ENDED_BY[report.ended_by]}"
    )
    paths = list(report.tuning.space)
    names = [path.rpartition(".")[2] for path in paths]
    figures = _TRIAL_FIGURES if details else _TRIAL_FIGURES[:2]
    table.add_column("trial", justify="right", no_wrap=True)
    for name in names if details else ["values"]:
        table.add_column(name, justify="right" if details else "left", overflow="fold")
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    for trial in rows[:most]:
        values = [_value_text(trial.values.get(path)) for path in paths]
        if not details:
            values = [", ".join(map(" ".join, zip(names, values, strict=True)))]
        cells = [*values, *_trial_figures(trial)[: len(figures)]]
        table.add_row(str(trial.number), *cells, style="bold" if trial is report.best else "")
    if most is not None and len(rows) > most:
        table.caption = f"and {len(rows) - most} more in logs/tuning.json"
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


def _corpus_table(group: str, splits: Mapping[str, data_statistics.Table]) -> Table:
    table = _empty_corpus_table(group, *SPLITS)
    for value in sorted({value for split in splits.values() for value in split[group]}):
        parts = [splits[s][group].get(value, Figures()) if s in splits else None for s in SPLITS]
        clips = [f"{part.clips:,}" if part is not None else "-" for part in parts]
        together = combined(part for part in parts if part is not None)
        table.add_row(value, *clips, *_measures(together))
    return table


def _empty_corpus_table(first: str, *counts: str) -> Table:
    table = Table(title=f"By {first}")
    table.add_column(first, overflow="fold")
    for name in (*counts, *MEASURES):
        table.add_column(name, justify="right")
    return table


def _measures(figures: Figures) -> list[str]:
    if not figures.clips:
        return ["-"] * len(MEASURES)
    return [
        f"{figures.minutes:.1f}",
        f"{figures.rms_dbfs:.1f}",
        f"{figures.clipped_ratio:.3%}",
        f"{figures.silence_ratio:.0%}",
    ]


def _trial_figures(trial: TrialResult) -> list[str]:
    judged, entropy = str(trial.status), ""
    if trial.eval_accuracy is not None and trial.eval_cross_entropy is not None:
        judged, entropy = f"{trial.eval_accuracy:.1%}", f"{trial.eval_cross_entropy:.4f}"
    parameters = "" if trial.parameters is None else f"{trial.parameters:,}"
    macs = "" if trial.macs is None else f"{trial.macs:,}"
    return [judged, parameters, entropy, macs, str(trial.epochs), f"{trial.seconds:.0f}"]


def _value_text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
