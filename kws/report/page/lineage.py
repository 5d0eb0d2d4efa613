"""Which step made what from what."""

from kws.report.page.facts import Facts
from kws.report.page.html import join, note, table, tag
from kws.report.page.section import Section


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
