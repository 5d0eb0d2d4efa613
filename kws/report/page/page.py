"""The whole page: sections in order, in a file that needs nothing else.

Its content security policy forbids every request: what is not in the file is not shown.
"""

from collections.abc import Callable
from pathlib import Path

from kws.report.page import (
    classes,
    comparison,
    configuration,
    confusion,
    curves,
    data,
    device,
    lineage,
    listen,
    slices,
    training,
    verdict,
)
from kws.report.page.facts import Facts
from kws.report.page.html import Html, tag, trusted
from kws.report.page.section import Section

SECTIONS: dict[str, Callable[[Facts], Section]] = {
    "verdict": verdict.section,
    "classes": classes.section,
    "confusion": confusion.section,
    "curves": curves.section,
    "listen": listen.section,
    "slices": slices.section,
    "comparison": comparison.section,
    "training": training.section,
    "data": data.section,
    "device": device.section,
    "lineage": lineage.section,
    "configuration": configuration.section,
}
"""By their anchors, which are their names in the contents too."""
POLICY = (
    "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'"
)
_HERE = Path(__file__).parent


def render(facts: Facts) -> str:
    """The page of a run."""
    sections = [section(facts) for section in SECTIONS.values()]
    title = f"{facts.name}: report of a run"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", trusted((_HERE / "style.css").read_text())),
    )
    keywords = ", ".join(f"“{label}”" for label in facts.streaming["test"]["per_keyword"])
    model = facts.training["model"]["name"]
    body = tag(
        "body",
        tag("a", "To the content", href="#content", class_="skip"),
        tag(
            "header",
            tag("h1", facts.name),
            tag("p", f"Keywords {keywords} · ", model, f" · {facts.run_id}"),
            class_="top",
        ),
        _contents(sections),
        tag("main", *(_section(section) for section in sections), id="content"),
        tag("footer", "Made by kws report. Everything that is shown is in this file."),
        *(tag("script", trusted((_HERE / name).read_text())) for name in ("play.js", "clips.js")),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _contents(sections: list[Section]) -> Html:
    items = (
        tag("li", tag("a", one.key.capitalize(), href=f"#{one.key}", title=one.title))
        for one in sections
    )
    return tag("nav", tag("ol", *items), aria_label="Sections")


def _section(section: Section) -> Html:
    heading = f"{section.key}-title"
    return tag(
        "section",
        tag("h2", section.title, id=heading),
        section.body,
        id=section.key,
        aria_labelledby=heading,
    )
