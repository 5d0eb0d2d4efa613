"""What each step was run with."""

import json

from kws.report.page.facts import Facts
from kws.report.page.html import join, more, note, tag
from kws.report.page.section import Section


def section(facts: Facts) -> Section:
    parts = [
        more(
            step.name,
            tag("pre", json.dumps(step.settings, indent=2, ensure_ascii=False), tabindex=0),
        )
        for step in facts.steps
        if step.settings
    ]
    words = note("As recorded with each step; keys are those of the configuration's sections.")
    return Section(key="configuration", title="Configuration", body=join([words, *parts]))
