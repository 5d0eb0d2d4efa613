"""Posteriors over time for the worst misses and false accepts, with their sound."""

from collections.abc import Sequence

from kws.report.page import embed, spectrogram
from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, note, tag
from kws.report.page.moments import Heard, Moment, Streams, worst
from kws.report.page.plot import LEFT, RIGHT, Plot, legend, linear, ticks
from kws.report.page.section import Section

MOST = 8
"""Misses, and false accepts, that are shown."""
MOST_BYTES = 3_000_000
"""Of embedded sound and pictures; what would go over it is left out."""
WIDTH, SPECTROGRAM, CURVES = 460.0, 110.0, 150.0


def section(facts: Facts) -> Section:
    streams = Streams(facts)
    misses, accepts = worst(facts, streams, MOST)
    left = MOST_BYTES
    parts: list[object] = [
        note(
            "From the test streams: the words that came least near to the threshold, and the "
            "surest of the false accepts."
        ),
        legend(
            ("k0", "posterior"),
            ("total", "smoothed, what the threshold is held against"),
            ("limit", "threshold"),
            ("said", "the word"),
            ("fired", "detection"),
        ),
    ]
    total = facts.streaming["test"]["total"]
    gone = "The streams are no longer there."
    for title, moments, none in (
        ("Misses", misses, gone if total["misses"] else "No keyword was missed."),
        ("False accepts", accepts, gone if total["false_accepts"] else "There was none."),
    ):
        parts.append(tag("h3", title))
        cards, left = _cards(moments, streams, left)
        parts.append(tag("div", *cards, class_="moments") if moments else note(none))
        if len(cards) < len(moments):
            parts.append(note(f"{len(moments) - len(cards)} more left out for the page's size."))
    return Section(key="listen", title="Listen to the worst", body=join(parts))


def _cards(moments: Sequence[Moment], streams: Streams, left: int) -> tuple[list[Html], int]:
    """As many as the bytes that are left allow, and what is left then."""
    cards = []
    for moment in moments:
        card = _card(moment, streams.heard(moment))
        if len(card) > left:
            break
        left -= len(card)
        cards.append(card)
    return cards, left


def _card(moment: Moment, heard: Heard) -> Html:
    title = _title(moment)
    at = (moment.said_ms or (moment.detected_ms or 0,))[0] / 1000
    where = f"{moment.stream}, {int(at // 60)}:{at % 60:04.1f}"
    return tag(
        "article",
        tag(
            "header",
            tag("button", tag("span", "▶", aria_hidden="true"), type="button", hidden=True,
                aria_label=f"Play: {title}, {where}"),
            tag("div", tag("h4", title), tag("p", " · ".join([where, *moment.about]))),
        ),
        _picture(moment, heard, title),
        tag("audio", controls=True, preload="none", src=embed.flac(heard.audio, heard.sample_rate),
            aria_label=f"{title}, {where}"),
        class_="moment",
    )  # fmt: skip


def _title(moment: Moment) -> str:
    score = f"{moment.score:.2f} of {moment.threshold:.2f}"
    if moment.kind == "false_accept":
        what = f"heard in “{moment.word}”" if moment.word else "heard in the background"
        return f"“{moment.keyword}” {what} ({score})"
    return f"“{moment.keyword}” missed ({score})"


def _picture(moment: Moment, heard: Heard, title: str) -> Html:
    start, end = moment.start_ms / 1000, moment.end_ms / 1000
    plot = Plot(width=WIDTH, height=CURVES, x=linear(start, end), y=linear(0, 1.02))
    axes = plot.axes(
        [(value, f"{value:g}") for value in ticks(start, end)],
        [(0, "0"), (0.5, "0.5"), (1, "1")],
        ("seconds in the stream", ""),
    )
    marks = []
    if moment.said_ms is not None:
        said = moment.said_ms[0] / 1000, min(moment.said_ms[1] / 1000, end)
        marks.append(plot.box(said, (0, 1.02), "said"))
    times = [time / 1000 for time in heard.times_ms]
    marks.append(plot.line(list(zip(times, heard.posteriors, strict=True)), "curve thin k0"))
    if heard.smoothed is not None:
        marks.append(plot.line(list(zip(times, heard.smoothed, strict=True)), "curve total"))
    marks.append(plot.line([(start, moment.threshold), (end, moment.threshold)], "limit"))
    if moment.detected_ms is not None:
        fired = moment.detected_ms / 1000
        marks.append(plot.dot(fired, moment.score, "point", f"fired at {fired:.2f} s"))
    image = tag(
        "image", href=embed.url("image/png", spectrogram.png(heard.audio, heard.sample_rate)),
        x=LEFT, y=0, width=WIDTH - LEFT - RIGHT, height=SPECTROGRAM, preserveAspectRatio="none",
    )  # fmt: skip
    bottom = SPECTROGRAM + CURVES - 40
    head = tag("path", d=f"M0 0V{bottom:g}", class_="playhead")
    below = tag("g", axes, *marks, transform=f"translate(0 {SPECTROGRAM:g})")
    return tag(
        "svg", image, below, head, viewBox=f"0 0 {WIDTH:g} {SPECTROGRAM + CURVES:g}", role="img",
        aria_label=f"Spectrogram and posterior: {title}", class_="plot", data_left=LEFT,
        data_wide=WIDTH - LEFT - RIGHT,
    )  # fmt: skip
