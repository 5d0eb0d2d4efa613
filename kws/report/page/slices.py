"""Accuracy of parts of the test clips, each with its bounds; false accepts by what was heard."""

from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, more, note, table, tag
from kws.report.page.section import Section, interval, number, percent
from kws.streaming.rates import share

MOST_ROWS = 12
"""Of a slicing; the rest, those that are heard best, are folded."""
_NAMES = {
    "augmentation": "Clean and noisy copies",
    "novelty": "Words of training and new ones",
    "snr_bucket": "Signal-to-noise ratio",
    "source": "Source",
    "speaker_group": "Speakers",
    "word": "Word",
    "label": "Label",
}


def section(facts: Facts) -> Section:
    parts: list[object] = []
    if facts.clip_slices:
        parts.append(note("Bars are accuracy on the test clips; the line is its 95 % interval."))
    for key, values in facts.clip_slices.items():
        parts += [tag("h3", _NAMES.get(key, key.replace("_", " "))), _slicing(key, values)]
    by_source = facts.streaming["test"]["false_accepts_by_source"]
    rows = [
        [
            tag("span", source, class_="mono"),
            found["count"],
            number(found["exposure"]),
            interval(found, False),
        ]
        for source, found in by_source.items()
    ]
    parts += [
        tag("h3", "False accepts by what was heard"),
        table(
            "False accepts by what was heard", ["heard", "count", "hours", "an hour (95 %)"], rows
        ),
    ]
    return Section(key="slices", title="Slices", body=join(parts))


def _slicing(key: str, values: dict[str, tuple[float, int]]) -> Html:
    worst = sorted(values.items(), key=lambda item: item[1][0])
    if len(worst) <= MOST_ROWS:
        return _bars(key, sorted(values.items()))
    rest = worst[MOST_ROWS:]
    return join([_bars(key, worst[:MOST_ROWS]), more(f"{len(rest)} more", _bars(key, rest))])


def _bars(key: str, rows: list[tuple[str, tuple[float, int]]]) -> Html:
    cells = []
    for value, (accuracy, clips) in rows:
        bounds = share(round(accuracy * clips), clips)
        bar = tag(
            "td",
            tag("span", class_="bar", style=f"width:{100 * accuracy:.1f}%"),
            tag(
                "span",
                class_="whisker",
                style=f"left:{100 * bounds.low:.1f}%;width:{100 * (bounds.high - bounds.low):.1f}%",
            ),
            class_="barcell",
            aria_hidden="true",
        )
        said = f"{percent(accuracy)} ({percent(bounds.low)} to {percent(bounds.high)})"
        cells.append([tag("span", value, class_="mono"), bar, said, f"{clips:,}"])
    return table(
        f"Accuracy by {key}", [key.replace("_", " "), "", "accuracy (95 %)", "clips"], cells
    )
