"""The trials of a search as a table for a terminal."""

from typing import Any

from rich.table import Table

from kws.training.tuning_report import TrialResult, TuningReport

_ENDED_BY = {
    "": "not over yet",
    "budget": "the budget was used up",
    "max_trials": "max_trials were made",
    "space": "the space has nothing new",
    "refusals": "too many in a row did not come through",
}

_FIGURES = ("eval accuracy", "parameters", "cross entropy", "MACs", "epochs", "s")


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
    figures = _FIGURES if details else _FIGURES[:2]
    table.add_column("trial", justify="right", no_wrap=True)
    for name in names if details else ["values"]:
        table.add_column(name, justify="right" if details else "left", overflow="fold")
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    for trial in rows[:most]:
        values = [_text(trial.values.get(path)) for path in paths]
        if not details:
            values = [", ".join(map(" ".join, zip(names, values, strict=True)))]
        cells = [*values, *_figures(trial)[: len(figures)]]
        table.add_row(str(trial.number), *cells, style="bold" if trial is report.best else "")
    if most is not None and len(rows) > most:
        table.caption = f"and {len(rows) - most} more in logs/tuning.json"
    return table


def _figures(trial: TrialResult) -> list[str]:
    judged, entropy = str(trial.status), ""
    if trial.eval_accuracy is not None and trial.eval_cross_entropy is not None:
        judged, entropy = f"{trial.eval_accuracy:.1%}", f"{trial.eval_cross_entropy:.4f}"
    parameters = "" if trial.parameters is None else f"{trial.parameters:,}"
    macs = "" if trial.macs is None else f"{trial.macs:,}"
    return [judged, parameters, entropy, macs, str(trial.epochs), f"{trial.seconds:.0f}"]


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
