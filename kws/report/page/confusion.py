"""The confusion matrix: counts and, as shades, the share of what was said."""

from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, note, tag
from kws.report.page.section import Section, percent

DARKEST = 0.6
"""Of the shade: text must be read on it, in light and dark. A shade grows with the root of a share:
3 % are few, but must be seen."""


def section(facts: Facts) -> Section:
    title = "Confusion matrix"
    matrix = facts.matrix
    if matrix is None or not matrix.total:
        return Section(key="confusion", title=title, body=note("No clips were judged."))
    head = [tag("th", label, scope="col") for label in matrix.labels]
    rows = []
    for said, (label, counts) in enumerate(zip(matrix.labels, matrix.counts, strict=True)):
        whole = int(counts.sum())
        cells = [
            _cell(label, matrix.labels[heard], int(count), whole, said == heard)
            for heard, count in enumerate(counts)
        ]
        rows.append(tag("tr", tag("th", label, scope="row"), *cells))
    caption = "Rows: what was said; columns: what the model heard"
    grid = tag(
        "div",
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", tag("td", ""), *head)),
            tag("tbody", *rows),
            class_="matrix",
        ),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=caption,
    )
    words = note(
        "A cell has the number of clips and below it their share of the row; the diagonal is right."
    )
    return Section(key="confusion", title=title, body=join([grid, words]))


def _cell(said: str, heard: str, count: int, whole: int, right: bool) -> Html:
    rate = count / whole if whole else 0.0
    if not count:
        return tag("td", tag("span", "0", class_="zero"))
    return tag(
        "td",
        tag("b", f"{count:,}"),
        tag("small", percent(rate)),
        class_="right" if right else "wrong",
        style=f"--shade:{100 * DARKEST * rate**0.5:.1f}%",
        title=f"“{said}” heard as “{heard}”: {count} of {whole}",
    )
