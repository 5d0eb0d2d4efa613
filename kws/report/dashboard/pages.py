"""The dashboard's pages: all runs with their figures over time, and one run in detail."""

import json
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from kws.gates import figure
from kws.report.dashboard import facets, series, slicing
from kws.report.dashboard.statistics import Features
from kws.report.page.html import Html, join, more, note, table, tag, trusted
from kws.report.page.section import ABSENT, number, percent

MATRIX = "tfma-multi-class-confusion-matrix-at-thresholds"
"""TFMA's own component, of the package's `static/vulcanized_tfma.js`."""

Run = Mapping[str, Any]
"""As `pipeline.runs.Record.to_dict` gives it."""


def address(run: Run) -> str:
    """Of a run's page."""
    pipeline, _, place = run["run"].rpartition("#")
    return f"/run/{urllib.parse.quote(pipeline, safe='')}/{place}"


def overview(runs: Sequence[Run]) -> str:
    """All runs, newest first, and the figures of each pipeline over time."""
    pipelines = dict.fromkeys(run["pipeline"] for run in runs)
    parts = [_card("runs", "Runs", _runs(runs))]
    for name in pipelines:
        of_one = [run for run in runs if run["pipeline"] == name]
        title = f"{name}: figures over {len(of_one)} runs"
        parts.append(_card(f"series-{name}", title, series.section(of_one[::-1])))
    return _page("Runs", f"{len(runs)} runs of {len(pipelines)} pipelines", parts)


def detail(
    run: Run, report: str | None, matrix: Mapping[str, Any] | None, labels: Sequence[str],
    slices: slicing.Slices, statistics: Html,
) -> str:  # fmt: skip
    """One run.

    Args:
      run: which.
      report: address of its report; None where there is none.
      matrix: TFMA's data of the confusion matrix plot.
      labels: of the model.
      slices: of TFMA's evaluation.
      statistics: of `statistics`.
    """
    link = tag("p", tag("a", "The report of this run", href=report)) if report else None
    drawn = note("TFMA has judged nothing.") if matrix is None else _matrix(matrix, labels)
    parts = [
        _card("gates", "Gates", join([link, _gates(run)])),
        _card("confusion", "Confusion matrix, by TFMA", drawn),
        _card("slicing-metrics", "Slicing metrics", slicing.section(slices)),
        _card("statistics", "Statistics of the clips", statistics),
    ]
    return _page(run["run"], f"{run['state']} · started {run['started']}", parts, tfma=True)


def statistics(
    features: Features, datasets: Sequence[str], parts: Sequence[str], part: str,
    others: Sequence[str], other: str, span: str = "",
) -> Html:  # fmt: skip
    """TFDV's statistics, and what to choose of them.

    Args:
      features: of the chosen part.
      datasets: splits, of this run and of the one beside it.
      parts: the whole and its slices; `part` is chosen.
      others: runs to compare with; `other` is chosen, or "".
      span: of the data, where it is known.
    """
    if not features:
        return note("No statistics were computed.")
    choice = tag(
        "form",
        tag("label", "Clips: ", _select("part", [(one, one) for one in parts], part)),
        tag("label", "Beside: ", _select("with", [("", "no other run"), *((o, o) for o in others)],
                                         other)),
        tag("button", "Show", type="submit"),
        method="get", action="#statistics", class_="choice",
    )  # fmt: skip
    find = tag("label", "Feature ", tag("input", type="search", data_find="features"))
    words = note(
        f"Span {span}, as" if span else "As",
        " TFDV computed them, drawn as Facets would. A density shows the shape whatever the size.",
    )
    return join(
        [words, choice, find, tag("div", facets.section(features, datasets), id="features")]
    )


def _select(name: str, options: Sequence[tuple[str, str]], chosen: str) -> Html:
    return tag(
        "select",
        *(tag("option", words, value=value, selected=value == chosen) for value, words in options),
        name=name,
    )


def _matrix(matrix: Mapping[str, Any], labels: Sequence[str]) -> Html:
    data = {"data": matrix, "classNames": {label: place for place, label in enumerate(labels)}}
    # A word called </script> ends nothing.
    written = json.dumps(data).replace("<", "\\u003c")
    return join(
        [
            tag("script", trusted(written), type="application/json", id="matrix-data"),
            tag("div", tag(MATRIX, id="matrix", data_from="matrix-data"), class_="tfma"),
        ]
    )


def _runs(runs: Sequence[Run]) -> Html:
    rows = []
    for run in runs:
        found, failed = run["figures"], [g["name"] for g in run["gates"] if not g["passed"]]
        judged = f"{len(run['gates']) - len(failed)} of {len(run['gates'])} passed"
        rows.append(
            [
                tag("a", run["run"], href=address(run)),
                tag("span", run["started"][:16].replace("T", " "), class_="whole"),
                tag("span", run["state"], class_=f"pill {'good' if run['version'] else 'plain'}"),
                tag("span", judged if run["gates"] else ABSENT, class_="whole"),
                percent(_value(found, "accuracy")),
                percent(_value(found, "miss_rate")),
                number(_value(found, "false_accepts_per_hour")),
                number(_value(found, "flash_bytes")),
                number(_value(found, "arena_bytes")),
                run["version"] or ABSENT,
            ]
        )
    header = ["run", "started", "result", "gates", "accuracy", "missed", "false accepts/h", "flash",
              "arena", "bundle"]  # fmt: skip
    return table("Runs", header, rows, numbers=4)


def _value(figures: Mapping[str, Any], key: str) -> float | None:
    return figures[key]["value"] if key in figures else None


def _gates(run: Run) -> Html:
    if not run["gates"]:
        return note("No gate was measured.")

    def rows(gates: Sequence[Mapping[str, Any]]) -> Html:
        cells = [
            [
                tag("span", gate["name"], class_="mono"),
                tag("span", "passed" if gate["passed"] else "FAILED",
                    class_=f"pill {'good' if gate['passed'] else 'bad'}"),
                f"{figure(gate['value'])} {gate['unit']}".strip(),
                f"{'≤' if gate['at_most'] else '≥'} {figure(gate['limit'])}",
            ]
            for gate in gates
        ]  # fmt: skip
        return table("Gates", ["gate", "verdict", "measured", "limit"], cells, words=(1,))

    first = [gate for gate in run["gates"] if not gate["passed"] or "/" not in gate["name"]]
    rest = [gate for gate in run["gates"] if gate not in first]
    folded = more(f"{len(rest)} gates of single classes, all passed", rows(rest)) if rest else None
    return join([rows(first), folded])


def _card(key: str, title: str, body: Html) -> Html:
    return tag("section", tag("h2", title, id=f"{key}-title"), body, id=key,
               aria_labelledby=f"{key}-title")  # fmt: skip


def _page(title: str, below: str, parts: Sequence[Html], tfma: bool = False) -> str:
    files = ["/tfma_offline.js", "/tfma.js"] if tfma else []
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · kws dashboard"),
        tag("link", rel="icon", href="data:,"),
        *(
            tag("link", rel="stylesheet", href=f"/{name}")
            for name in ("style.css", "dashboard.css")
        ),
        *(tag("script", src=file, defer=True) for file in [*files, "/dashboard.js"]),
    )
    home = tag("p", tag("a", "All runs", href="/")) if tfma else None
    top = tag("header", home, tag("h1", title), tag("p", below), class_="top")
    body = tag("body", top, tag("main", *parts, id="content"))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"
