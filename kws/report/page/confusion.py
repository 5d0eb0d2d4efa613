"""The confusion matrix: counts and, as shades, the share of what was said; clips to listen to.

A cell with clips is a button that opens them in a popover: by click, touch or keyboard without any
script, and by resting the mouse on it (`clips.js`).
"""

from kws.report.page import embed
from kws.report.page.facts import Confused, Facts
from kws.report.page.html import Html, join, note, tag
from kws.report.page.section import Section, percent

DARKEST = 0.6
"""Of the shade: text must be read on it, in light and dark. A shade grows with the root of a share:
3 % are few, but must be seen."""
MOST_BYTES = 1_500_000
"""Of embedded clips; the cells with the most errors come first."""


def section(facts: Facts) -> Section:
    title = "Confusion matrix"
    matrix = facts.matrix
    if matrix is None or not matrix.total:
        return Section(key="confusion", title=title, body=note("No clips were judged."))
    popovers = _popovers(facts)
    head = [tag("th", label, scope="col") for label in matrix.labels]
    rows = []
    for said, (label, counts) in enumerate(zip(matrix.labels, matrix.counts, strict=True)):
        whole = int(counts.sum())
        cells = [
            _cell(
                label,
                matrix.labels[heard],
                int(count),
                whole,
                said == heard,
                _name(said, heard) if (said, heard) in popovers else None,
            )
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
        f"{caption}. A cell has the number of clips and below it their share of the row; the "
        "diagonal is right."
        + (
            " Rest on an underlined number, or press it, to listen: to the surest of the errors, "
            "and on the diagonal to the least sure of what was heard right."
            if popovers
            else ""
        )
    )
    return Section(key="confusion", title=title, body=join([words, grid, *popovers.values()]))


def _name(said: int, heard: int) -> str:
    return f"confused-{said}-{heard}"


def _popovers(facts: Facts) -> dict[tuple[int, int], Html]:
    """By cell, as many as fit."""
    assert facts.matrix is not None
    counts, found, left = facts.matrix.counts, {}, MOST_BYTES
    # Errors first, then what was right.
    for said, heard in sorted(facts.confused, key=lambda cell: (cell[0] == cell[1], -counts[cell])):
        title = f"“{facts.labels[said]}” heard as “{facts.labels[heard]}”"
        clips = (_clip(clip) for clip in facts.confused[said, heard])
        popover = tag(
            "div", tag("h4", title), *clips, id=_name(said, heard), popover=True, role="dialog",
            aria_label=title,
        )  # fmt: skip
        if len(popover) <= left:
            left -= len(popover)
            found[said, heard] = popover
    return found


def _clip(clip: Confused) -> Html:
    about = [f"“{clip.word}”" if clip.word else "nothing said", clip.speaker, clip.source]
    if clip.augmentation != "none":
        about.append(clip.augmentation)
    words = f"{' · '.join(part for part in about if part)} ({clip.score:.2f})"
    sound = embed.flac(clip.audio, clip.sample_rate)
    return tag(
        "div", tag("p", words), tag("audio", controls=True, preload="none", src=sound,
                                    aria_label=words),
    )  # fmt: skip


def _cell(said: str, heard: str, count: int, whole: int, right: bool, popover: str | None) -> Html:
    rate = count / whole if whole else 0.0
    if not count:
        return tag("td", tag("span", "0", class_="zero"))
    shown = join([tag("b", f"{count:,}"), tag("small", percent(rate))])
    if popover is not None:
        words = f"{count} of “{said}” heard as “{heard}”: listen"
        shown = tag(
            "button", shown, type="button", popovertarget=popover, popovertargetaction="show",
            aria_label=words,
        )  # fmt: skip
    return tag(
        "td",
        shown,
        class_="right" if right else "wrong",
        style=f"--shade:{100 * DARKEST * rate**0.5:.1f}%",
        title=f"“{said}” heard as “{heard}”: {count} of {whole}",
    )
