"""Statistics as Facets Overview lays them out: a row a feature and dataset, a picture a feature."""

from collections.abc import Iterable, Sequence

from kws.report.dashboard.statistics import Column, Features, Numbers, Words
from kws.report.page.html import Html, join, more, note, table, tag
from kws.report.page.plot import Plot, legend, linear, ticks
from kws.report.page.section import ABSENT, number, percent

MOST_VALUES = 8
"""Of a feature of strings that are drawn; the rest is one line."""
MOST_UNIQUE = 0.9
"""Of the examples; with more different values, such as ids, there is nothing to draw."""
WIDTH, HEIGHT = 460.0, 170.0
COLOURS = ("total", "k1", "k2", "k3", "k4", "k5", "k6", "k7")


def section(features: Features, datasets: Sequence[str]) -> Html:
    """Every feature; `datasets` in the order of their colours."""
    numbers = {n: f for n, f in features.items() if _is(f, Numbers)}
    words = {n: f for n, f in features.items() if n not in numbers and _is(f, Words)}
    others = [name for name in features if name not in numbers and name not in words]
    parts: list[object] = [
        legend(*((_colour(place), name) for place, name in enumerate(datasets))),
        tag("h3", f"{len(numbers)} features of numbers"),
        *(_feature(name, columns, datasets) for name, columns in numbers.items()),
        tag("h3", f"{len(words)} features of words"),
        *(_feature(name, columns, datasets) for name, columns in words.items()),
    ]
    if others:
        parts.append(note(f"Without statistics of values: {', '.join(others)}."))
    return join(parts)


def _is(columns: dict[str, Column], kind: type) -> bool:
    return any(isinstance(column.values, kind) for column in columns.values())


def _feature(name: str, columns: dict[str, Column], datasets: Sequence[str]) -> Html:
    known = [(place, one, columns[one]) for place, one in enumerate(datasets) if one in columns]
    drawn = _histogram(name, known) or _values(name, known)
    return tag(
        "article",
        tag("h4", name, class_="mono"),
        tag("div", tag("div", _figures(name, known)), tag("div", drawn), class_="pair"),
        class_="feature",
        data_feature=name,
    )


def _figures(name: str, known: Iterable[tuple[int, str, Column]]) -> Html:
    header: list[str] = []
    rows = []
    for _, dataset, column in known:
        values = column.values
        cells = [f"{column.present:,}", percent(_missing(column))]
        header = ["", "count", "missing"]
        if isinstance(values, Numbers):
            header += ["mean", "std dev", "zeros", "min", "median", "max"]
            cells += [_short(values.mean), _short(values.std), percent(values.zeros)]
            cells += [_short(v) for v in (values.minimum, values.median, values.maximum)]
        elif isinstance(values, Words):
            header += ["unique", "most frequent", "its share", "mean length"]
            top = next(iter(values.counts.items()), None)
            share = top[1] / column.present if top and column.present else None
            cells += [f"{values.unique:,}", _cut(top[0]) if top else ABSENT, percent(share)]
            cells.append(number(values.mean_length, 1))
        rows.append([dataset, *cells])
    return table(f"Figures of {name}", header, rows)


def _missing(column: Column) -> float | None:
    return 1 - column.present / column.examples if column.examples else None


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _cut(value: str) -> str:
    return value if len(value) <= 24 else f"{value[:23]}…"


def _histogram(name: str, known: Sequence[tuple[int, str, Column]]) -> Html | None:
    """Density over the values: datasets of any size, and buckets of any width, beside each other.

    A feature that has one value everywhere has no density: its table says all.
    """
    steps: dict[int, list[tuple[float, float]]] = {}
    for place, _, column in known:
        if isinstance(column.values, Numbers):
            buckets = [b for b in column.values.histogram if b[1] > b[0]]
            total = sum(count for _, _, count in buckets)
            if total:
                heights = [count / total / (high - low) for low, high, count in buckets]
                line = [(b[0], height) for b, height in zip(buckets, heights, strict=True)]
                steps[place] = [(buckets[0][0], 0.0), *line, (buckets[-1][1], 0.0)]
    if not steps:
        return None
    points = [point for line in steps.values() for point in line]
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    plot = Plot(
        width=WIDTH, height=HEIGHT, x=linear(low, high), y=linear(0, max(y for _, y in points))
    )  # fmt: skip
    axes = plot.axes([(v, f"{v:g}") for v in ticks(low, high, 5)], [], (name, "density"))
    lines = (
        plot.line(line, f"curve wide {_colour(place)}", steps=True) for place, line in steps.items()
    )
    words = ", ".join(dataset for place, dataset, _ in known if place in steps)
    return join([plot.picture(f"Density of {name} in {words}", axes, *lines), _quantiles(known)])


def _quantiles(known: Sequence[tuple[int, str, Column]]) -> Html | None:
    rows = [
        [dataset, *(_short(edge) for edge in _edges(column.values))]
        for _, dataset, column in known
        if isinstance(column.values, Numbers) and column.values.quantiles
    ]
    if not rows:
        return None
    count = max(len(row) for row in rows) - 1
    header = ["", *(f"{100 * place / max(count - 1, 1):.0f} %" for place in range(count))]
    return more("Quantiles", table("Quantiles", header, rows))


def _edges(values: Numbers) -> list[float]:
    return [values.quantiles[0][0], *(high for _, high in values.quantiles)]


def _values(name: str, known: Sequence[tuple[int, str, Column]]) -> Html | None:
    """The most frequent values, a bar for each dataset."""
    shares: dict[str, dict[int, float]] = {}
    for place, _, column in known:
        if isinstance(column.values, Words) and column.present:
            for value, count in column.values.counts.items():
                shares.setdefault(value, {})[place] = count / column.present
    if any(
        isinstance(c.values, Words) and c.values.unique > MOST_UNIQUE * c.present
        for _, _, c in known
    ):
        return note("Nearly every example has a value of its own.")
    if not shares:
        return None
    first = sorted(shares, key=lambda value: -max(shares[value].values()))
    rows = [
        [tag("span", _cut(value), class_="mono"), _bars(shares[value], known)]
        for value in first[:MOST_VALUES]
    ]
    rest = len(first) - MOST_VALUES
    return join(
        [
            table(f"Values of {name}", ["value", "share of the examples"], rows),
            note(f"{rest} more values.") if rest > 0 else None,
        ]
    )


def _bars(shares: dict[int, float], known: Sequence[tuple[int, str, Column]]) -> Html:
    bars = (
        tag(
            "span",
            class_=f"bar {_colour(place)}",
            style=f"width:{100 * shares.get(place, 0.0):.1f}%",
            title=f"{dataset}: {percent(shares.get(place, 0.0))}",
        )
        for place, dataset, _ in known
    )
    said = ", ".join(f"{dataset} {percent(shares.get(place, 0.0))}" for place, dataset, _ in known)
    return tag("td", *bars, tag("span", said, class_="heard"), class_="barcell")


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]
