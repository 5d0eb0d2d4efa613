"""Every slice of TFMA's evaluation with every metric: a table to be sorted and thinned out."""

from collections.abc import Mapping, Sequence

from kws.report.page.html import Html, join, note, table, tag
from kws.report.page.section import ABSENT, percent
from kws.streaming.rates import share

Slices = Sequence[tuple[str, Mapping[str, float]]]
"""`source: recordings` -> metric -> value; the whole split comes first."""
COUNT, ACCURACY = "example_count", "accuracy"


def section(slices: Slices) -> Html:
    """The table, and above it what thins it out."""
    if not slices:
        return note("TFMA has judged nothing.")
    named = dict.fromkeys(metric for _, found in slices for metric in found)
    metrics = [metric for metric in named if not metric.startswith(COUNT)]
    header = ["slice", "clips", *metrics]
    rows = [
        [
            tag("span", name, class_="mono"),
            f"{found.get(COUNT, 0):,.0f}",
            *(_cell(metric, found) for metric in metrics),
        ]
        for name, found in slices
    ]
    least = tag(
        "label",
        "Slices of at least ",
        tag("input", type="number", min=0, value=0, data_least="slicing"),
        " clips",
    )
    words = note(
        "Press a column's name to sort by it. Accuracy has its 95 % bounds; the others are as TFMA "
        "gave them."
    )
    made = table("Metrics of each slice", [_sortable(name) for name in header], rows)
    return join([words, least, tag("div", made, id="slicing")])


def _cell(metric: str, found: Mapping[str, float]) -> Html:
    value = found.get(metric)
    if value is None or value != value:
        return tag("td", ABSENT, class_="n", data_value=-1)
    said: list[object] = [f"{value:.4g}"]
    if metric == ACCURACY:
        clips = round(found.get(COUNT, 0))
        bounds = share(round(value * clips), clips)
        said = [percent(value), tag("small", f"{percent(bounds.low)} to {percent(bounds.high)}")]
    return tag("td", *said, class_="n", data_value=value)


def _sortable(name: str) -> Html:
    return tag("button", name, type="button", class_="sort")
