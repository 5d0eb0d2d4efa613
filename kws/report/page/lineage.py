"""What the bundle was made of, and which step made what from what."""

from typing import Any

from kws.report import lineage_tree
from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, note, table, tag
from kws.report.page.section import Section


def _bundle(told: dict[str, Any]) -> Html:
    """What `kws lineage` says of it."""
    rows = [
        [part if first else "", name, tag("td", value, class_="wide")]
        for part, lines in lineage_tree.sections(told)
        for first, (name, value) in zip([True] + [False] * len(lines), lines, strict=False)
    ]
    return table("What the bundle was made of", ["part", "what", "value"], rows, words=(1, 2))


def section(facts: Facts) -> Section:
    rows = [
        [
            step.name,
            tag("span", step.state, class_=f"pill {'bad' if step.state == 'failed' else 'plain'}"),
            f"{step.seconds:,.1f} s",
            tag("td", ", ".join(step.inputs), class_="wide mono"),
            tag("td", ", ".join(step.outputs), class_="wide mono"),
            tag("td", *(tag("div", folder) for folder in step.folders), class_="wide mono"),
        ]
        for step in facts.steps
    ]
    body = join(
        [
            None if facts.lineage is None else _bundle(facts.lineage),
            note(
                "Numbers are ML Metadata's ids of artifacts: follow one from the step that made it "
                "to those that read it. A cached step took an earlier run's result."
            ),
            table(
                "Steps",
                ["step", "state", "time", "from", "made", "folders"],
                rows,
                numbers=2,
                words=(3, 4, 5),
            ),
        ]
    )
    return Section(key="lineage", title="Lineage", body=body)
