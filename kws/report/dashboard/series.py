"""Figures over the runs of a pipeline, with their bounds."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kws.report.page.html import Html, join, note, tag
from kws.report.page.plot import Plot, legend, linear, ticks
from kws.report.page.section import number, percent
from kws.report.run_tables import FIGURES

WIDTH, HEIGHT = 460.0, 220.0

Run = Mapping[str, Any]
"""As `pipeline.runs.Record.to_dict` gives it."""


def section(runs: Sequence[Run]) -> Html:
    """A diagram a figure; runs in the order of time."""
    figures = (_diagram(runs, key, *words) for key, words in FIGURES.items())
    drawn = [figure for figure in figures if figure is not None]
    if not drawn:
        return note("No run has come so far that it was judged.")
    return join(
        [
            tag("div", *drawn, class_="pair"),
            legend(("total", "figure"), ("said", "95 % bounds"), ("fired", "not pushed")),
        ]
    )


def _diagram(runs: Sequence[Run], key: str, words: str, share: bool) -> Html | None:
    known = [(place, run) for place, run in enumerate(runs, 1) if _value(run, key) is not None]
    if not known:
        return None
    points = [(float(place), _value(run, key)) for place, run in known]
    bounds = [(place, run["figures"][key]) for place, run in known]
    chance = [(float(place), one) for place, one in bounds if _finite(one.get("high"))]
    top = max([y for _, y in points] + [one["high"] for _, one in chance])
    # Bounds of rates over little time would press everything else to the floor.
    top = min(top, 4 * (max(y for _, y in points) or top)) or 1.0
    last = max(len(runs), 2)
    plot = Plot(width=WIDTH, height=HEIGHT, x=linear(0.5, last + 0.5), y=linear(0, top * 1.05))

    def said(value: float) -> str:
        return percent(value) if share else number(value)

    axes = plot.axes(
        [(float(place), run["run"].rpartition("#")[2]) for place, run in _some(runs)],
        [(v, percent(v, 0) if share else _brief(v)) for v in ticks(0, top, 5)],
        ("run", ""),
    )
    whiskers = (
        plot.box((place, place), (one["low"], min(one["high"], top * 1.05)), "whisker95")
        for place, one in chance
    )
    dots = (
        plot.dot(
            place,
            value,
            "point" if run["state"] != "pushed" else "dot",
            f"{run['run']}: {said(value)}",
        )
        for (place, value), (_, run) in zip(points, known, strict=True)
    )
    picture = plot.picture(
        f"{words} of {len(known)} runs, the last {said(points[-1][1])}",
        axes, *whiskers, plot.line(points, "curve total"), *dots,
    )  # fmt: skip
    return tag("figure", tag("figcaption", words.capitalize()), picture, data_series=key)


def _brief(value: float) -> str:
    """Of an axis: `20 k`."""
    return f"{value / 1000:g} k" if value >= 10_000 else f"{value:g}"


def _some(runs: Sequence[Run]) -> list[tuple[int, Run]]:
    """As many as can be told apart on the axis."""
    step = math.ceil(len(runs) / 10)
    return list(enumerate(runs, 1))[::step]


def _value(run: Run, key: str) -> Any:
    figure = run["figures"].get(key)
    return figure["value"] if figure and _finite(figure["value"]) else None


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
