"""HTML from small functions: what is not already HTML is escaped, so that nothing can be forgotten.

Names of words, files and speakers come from users' folders: `<b>` in one of them must be seen as
`<b>`. Only `tag`, `join` and `trusted` give `Html`; every other string is text.
"""

import html
from collections.abc import Iterable, Sequence

VOID = frozenset({"meta", "link", "img", "br", "input"})
_TRAILING = "_"
"""`class_` and `for_` stand for attributes whose names are Python's own words."""


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def trusted(text: str) -> Html:
    """Text of ours, such as a style sheet, that is not to be escaped."""
    return Html(text)


def escape(content: object) -> Html:
    """HTML as it is, anything else as text."""
    return content if isinstance(content, Html) else Html(html.escape(str(content)))


def join(parts: Iterable[object]) -> Html:
    """One after the other; None is left out."""
    return Html("".join(escape(part) for part in parts if part is not None))


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """An element.

    Args:
      name: of the element.
      children: Html, or text to be escaped; None is left out.
      attributes: `data_x` is `data-x`, `class_` is `class`; True gives the bare name; None and
        False leave the attribute out.
    """
    written = "".join(
        f" {key.rstrip(_TRAILING).replace('_', '-')}"
        + ("" if value is True else f'="{html.escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def table(
    caption: str, header: Sequence[object], rows: Iterable[Sequence[object]], numbers: int = 1,
    words: Sequence[int] = (),
) -> Html:  # fmt: skip
    """A table that scrolls by itself where the page is narrow, by keyboard too.

    Args:
      caption: what it shows; a reader of the screen hears it first.
      header: of the columns.
      rows: cells; the first of each is its header. Ready `td` elements stay as they are.
      numbers: the column from which on cells stand to the right.
      words: later columns that do not.
    """

    def side(place: int) -> str | None:
        return "n" if place >= numbers and place not in words else None

    def cell(place: int, content: object) -> Html:
        if isinstance(content, Html) and content.startswith("<td"):
            return content
        if place == 0:
            return tag("th", content, scope="row")
        return tag("td", content, class_=side(place))

    head = [
        tag("th", content, scope="col", class_=side(place)) for place, content in enumerate(header)
    ]
    body = [tag("tr", *(cell(i, c) for i, c in enumerate(row))) for row in rows]
    return tag(
        "div",
        tag("table", tag("caption", caption), tag("thead", tag("tr", *head)), tag("tbody", *body)),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=caption,
    )


def more(summary: object, *content: object) -> Html:
    """What only some want to read: folded away."""
    return tag("details", tag("summary", summary), *content)


def note(*words: object) -> Html:
    """A line that explains."""
    return tag("p", *words, class_="note")
