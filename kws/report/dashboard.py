"""The dashboard's pages: all runs with their figures over time, and one run in detail.

A run is shown with TFMA's own confusion matrix, every slice of TFMA's evaluation with every metric,
and TFDV's statistics as Facets Overview lays them out: a row a feature and dataset.
"""

import dataclasses
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from kws.detection.rates import share
from kws.report import charts
from kws.report.data_statistics import Column, Features, Numbers, Words
from kws.report.page import split_gates
from kws.report.run_tables import FIGURES
from kws.report.templating import ABSENT, number, percent, render

COUNT, ACCURACY = "example_count", "accuracy"
"""Metrics of TFMA's that are shown in a way of their own."""
MOST_VALUES = 8
"""Of a feature of strings that are drawn; the rest is one line."""
MOST_UNIQUE = 0.9
"""Of the examples; with more different values, such as ids, there is nothing to draw."""

Run = charts.Run
Slices = Sequence[tuple[str, Mapping[str, float]]]
"""`source: recordings` -> metric -> value; the whole split comes first."""


def address(run: Run) -> str:
    """The path of a run's page."""
    pipeline, _, place = run["run"].rpartition("#")
    return f"/run/{urllib.parse.quote(pipeline, safe='')}/{place}"


def runs_page(runs: Sequence[Run]) -> str:
    """All runs, newest first, and the figures of each pipeline over time."""
    pipelines = []
    for name in dict.fromkeys(run["pipeline"] for run in runs):
        in_order = [run for run in runs if run["pipeline"] == name][::-1]
        plots = [
            (key, caption.capitalize(), svg)
            for key, (caption, as_percent) in FIGURES.items()
            if (svg := charts.figure_over_runs(in_order, key, caption, as_percent)) is not None
        ]
        pipelines.append((name, len(in_order), plots))
    return render("runs.html", runs=runs, pipelines=pipelines, address=address, value=_value)


def _value(run: Run, key: str) -> float | None:
    return run["figures"][key]["value"] if key in run["figures"] else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Statistics:
    """TFDV's statistics of a run, and the choice of what is shown of them.

    Attributes:
      features: of the chosen part; empty if nothing was computed.
      datasets: splits, of this run and of the one beside it.
      parts: the whole and its slices; `part` is chosen.
      others: runs to compare with; `other` is chosen, or "".
      span: of the data; "" if it is not known.
    """

    features: Features
    datasets: Sequence[str] = ()
    parts: Sequence[str] = ()
    part: str = ""
    others: Sequence[str] = ()
    other: str = ""
    span: str = ""


def run_page(
    run: Run, report: str | None, matrix: Mapping[str, Any] | None, labels: Sequence[str],
    slices: Slices, statistics: Statistics,
) -> str:  # fmt: skip
    """One run.

    Args:
      run: which.
      report: address of its report; None if there is none.
      matrix: TFMA's data of the confusion matrix plot; None if TFMA evaluated nothing.
      labels: of the model.
      slices: of TFMA's evaluation.
      statistics: of its clips.
    """
    main_gates, class_gates = split_gates(run["gates"])
    names = dict.fromkeys(metric for _, found in slices for metric in found)
    metrics = [name for name in names if not name.startswith(COUNT)]
    datasets = list(
        zip(_colour_classes(len(statistics.datasets)), statistics.datasets, strict=True)
    )
    return render(
        "run.html",
        run=run,
        report=report,
        main_gates=main_gates,
        class_gates=class_gates,
        matrix=matrix,
        class_names={label: place for place, label in enumerate(labels)},
        metrics=metrics,
        slices=[
            (name, found.get(COUNT, 0), [_metric(metric, found) for metric in metrics])
            for name, found in slices
        ],
        statistics={
            "span": statistics.span,
            "parts": [(part, part) for part in statistics.parts],
            "part": statistics.part,
            "others": [("", "no other run"), *((name, name) for name in statistics.others)],
            "other": statistics.other,
            "datasets": datasets,
            "features": [
                _feature(name, columns, datasets) for name, columns in statistics.features.items()
            ],
        },
    )


def _metric(name: str, found: Mapping[str, float]) -> tuple[float | None, dict[str, Any] | None]:
    """The value, and of accuracy the share with its bounds."""
    value = found.get(name)
    if value is None or value != value:
        return None, None
    if name != ACCURACY:
        return value, None
    clips = round(found.get(COUNT, 0))
    return value, share(round(value * clips), clips).to_dict()


def _colour_classes(count: int) -> list[str]:
    """Classes of the style sheet, as `charts.DATASET_COLOURS`."""
    colours = len(charts.DATASET_COLOURS)
    return ["blue" if place % colours == 0 else f"k{place % colours}" for place in range(count)]


def _feature(
    name: str, columns: Mapping[str, Column], datasets: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    known = [(kind, one, columns[one]) for kind, one in datasets if one in columns]
    values = [column.values for _, _, column in known]
    made: dict[str, Any] = {"name": name, "kind": None, "mostly_unique": False, "frequent": []}
    made["columns"], rows = ["", "count", "missing"], []
    for _, dataset, column in known:
        missing = 1 - column.present / column.examples if column.examples else None
        cells = [f"{column.present:,}", percent(missing)]
        if isinstance(column.values, Numbers):
            found = column.values
            made["columns"] += ["mean", "std dev", "zeros", "min", "median", "max"]
            cells += [_short(found.mean), _short(found.std), percent(found.zeros)]
            cells += [_short(v) for v in (found.minimum, found.median, found.maximum)]
        elif isinstance(column.values, Words):
            made["columns"] += ["unique", "most frequent", "its share", "mean length"]
            cells += _cells_of_words(column.values, column.present)
        rows.append((dataset, cells))
    made["columns"], made["rows"] = list(dict.fromkeys(made["columns"])), rows
    made["histogram"] = None
    if any(isinstance(one, Numbers) for one in values):
        made |= {"kind": "numbers", **_quantiles(known)}
        made["histogram"] = charts.histogram(name, columns, [dataset for _, dataset in datasets])
    elif any(isinstance(one, Words) for one in values):
        made |= {"kind": "words", **_frequent_values(known)}
    return made


Known = Sequence[tuple[str, str, Column]]
"""Class of the style sheet, dataset, and what it has of a feature."""


def _cells_of_words(values: Words, present: int) -> list[str]:
    top = next(iter(values.counts.items()), None)
    if top is None:
        return [f"{values.unique:,}", ABSENT, ABSENT, number(values.mean_length, 1)]
    most = percent(top[1] / present if present else None)
    return [f"{values.unique:,}", _cut(top[0]), most, number(values.mean_length, 1)]


def _quantiles(known: Known) -> dict[str, Any]:
    rows = [
        (
            dataset,
            [_short(v) for v in (found.quantiles[0][0], *(high for _, high in found.quantiles))],
        )
        for _, dataset, column in known
        if isinstance(found := column.values, Numbers) and found.quantiles
    ]
    count = max((len(edges) for _, edges in rows), default=0)
    names = [f"{100 * place / max(count - 1, 1):.0f} %" for place in range(count)]
    return {"quantiles": rows, "quantile_names": names}


def _frequent_values(known: Known) -> dict[str, Any]:
    """The most frequent values, with the share of each in each dataset."""
    words = [(k, d, c, c.values) for k, d, c in known if isinstance(c.values, Words)]
    if any(values.unique > MOST_UNIQUE * column.present for _, _, column, values in words):
        return {"mostly_unique": True}
    shares: dict[str, dict[str, float]] = {}
    for _, dataset, column, values in words:
        for value, count in values.counts.items() if column.present else ():
            shares.setdefault(value, {})[dataset] = count / column.present
    first = sorted(shares, key=lambda value: -max(shares[value].values()))
    return {
        "frequent": [
            (_cut(value), [(kind, one, shares[value].get(one, 0.0)) for kind, one, _ in known])
            for value in first[:MOST_VALUES]
        ],
        "more_values": len(first) - MOST_VALUES,
    }


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _cut(value: str) -> str:
    return value if len(value) <= 24 else f"{value[:23]}…"
