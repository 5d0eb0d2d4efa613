"""The page of a run: every section, nothing from elsewhere, nothing unescaped."""

import dataclasses
import html
import re
from html.parser import HTMLParser

import pytest
from scipy.stats import binomtest

from kws.detection.rates import share
from kws.gates import Gate
from kws.report.page import render_report
from kws.report.report_data import EarlierBundle
from kws.report.templating import POLICY
from tests.kws.report.conftest import NASTY
from tests.kws.runtime.conftest import sensitivities_at

KEYS = [
    "verdict", "classes", "confusion", "curves", "listen", "slices", "comparison", "training",
    "data", "device", "lineage", "configuration",
]  # fmt: skip
VOID = ("meta", "link", "img", "br", "input")


class _Elements(HTMLParser):
    """Every element with its attributes; complains of what is not closed."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag


@pytest.fixture
def text(data) -> str:
    return render_report(data)


def test_every_section_is_there_in_order_and_in_the_contents(text):
    elements = _Elements(text).found
    assert [a["id"] for tag, a in elements if tag == "section"] == KEYS
    links = [a["href"] for tag, a in elements if tag == "a" and a["href"] != "#content"]
    assert links == [f"#{key}" for key in KEYS]


def test_the_verdict_comes_first_with_the_gate_that_refused_and_by_how_much(text):
    start = text.index("Not pushed")
    assert start < text.index("Each class</h2>")
    assert "streaming.miss_rate = 0.6, at most 0.25 required: failed by 0.35" in text
    assert "Gates: 2 of 3 passed" in text


def test_nothing_is_fetched_from_elsewhere(text):
    for tag, attributes in _Elements(text).found:
        for name in ("src", "href", "xlink:href", "data", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, value)
    policies = [a["content"] for _, a in _Elements(text).found if a.get("http-equiv")]
    assert policies == [POLICY] and policies[0].startswith("default-src 'none'")
    assert not re.search(r"@import|url\((?!#)", text)


def test_names_from_the_user_s_folders_are_text(text):
    assert NASTY not in text and "&lt;script&gt;alert(" in text
    assert sum(tag == "script" for tag, _ in _Elements(text).found) == 1  # ours


def _renamed(value, old: str, new: str):
    """The value with every text in it changed, in names of dicts and fields of dataclasses too."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {_renamed(k, old, new): _renamed(v, old, new) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_renamed(one, old, new) for one in value)
    if isinstance(value, Gate):
        return Gate(**_renamed(value.model_dump(), old, new))
    if dataclasses.is_dataclass(value):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return type(value)(**_renamed(fields, old, new))
    return value


@pytest.mark.parametrize("word", [NASTY, "</svg></script><b>", "{{ data }}", "$x$ 'a' \"b\" &lt;"])
def test_a_keyword_with_any_name_is_text_in_every_section_and_plot(data, text, word):
    renamed = render_report(_renamed(data, "yes", word))
    assert [tag for tag, _ in _Elements(renamed).found] == [tag for tag, _ in _Elements(text).found]
    assert html.unescape(renamed).count(f"“{word}” missed") == text.count("“yes” missed") > 0


def test_everything_that_can_be_used_or_seen_has_a_name(text):
    for tag, attributes in _Elements(text).found:
        if tag in ("svg", "audio", "nav"):
            assert attributes.get("aria-label"), tag
        if tag == "button":
            assert re.match("Play: |.*: listen$", attributes["aria-label"])
        if tag == "section":
            assert f'id="{attributes["aria-labelledby"]}"' in text
    assert re.search(r'<html lang="en">', text)


def test_a_run_is_compared_with_the_last_bundle(data):
    streaming = data.streaming
    before = {
        "streaming": streaming,
        "clips": {"accuracy": {"estimate": 0.5}},
        "micro": {"flash_bytes": 33248, "arena_bytes": 9000, "macs": 7},
    }
    odd = {"candidate": 2, "last": 3, "both": 4, "chance": 0.8}
    last = {"words": 5, "hours": 0.02, "misses": odd, "false_accepts": odd}
    text = render_report(
        dataclasses.replace(
            data,
            earlier=EarlierBundle(version="20260101000000", evaluation=before),
            streaming={**streaming, "against_last": last},
        )
    )
    assert "Figures of the last bundle, 20260101000000" in text
    assert "50.0\N{NO-BREAK SPACE}%" in text and "this model alone" in text
    assert "33,248" in text


def test_conditions_have_a_table_and_their_gate_the_bounds_of_the_hardest(data):
    test = data.streaming["test"]
    hard = {**test["total"], "words": 40, "misses": 10, "miss_rate": share(10, 40).to_dict()}
    conditions = {"quiet": test["total"], "babble": hard}
    gate = Gate(
        name="streaming.miss_rate_of_condition",
        value=0.25,
        limit=0.2,
        at_most=True,
        detail="babble",
    )
    text = render_report(
        dataclasses.replace(
            data,
            gates=(*data.gates, gate),
            streaming={**data.streaming, "test": {**test, "per_condition": conditions}},
        )
    )
    ci = binomtest(10, 40).proportion_ci(method="exact")  # Clopper-Pearson
    table = text[text.index("Each condition on the test streams") :]
    row = re.search(r"babble</span>.*?</tr>", table, re.DOTALL)
    assert row is not None and f"{100 * ci.low:.1f}" in row[0] and f"{100 * ci.high:.1f}" in row[0]
    judged = re.search(r"miss_rate_of_condition</span>.*?</tr>", text, re.DOTALL)
    assert judged is not None and f"{ci.low:.3f} to {ci.high:.3f}" in judged[0]


def test_false_accepts_without_recordings_are_qualified_below_the_verdict(data, text):
    qualified = "not judged against recorded speech: no stream without keywords"
    verdict = text[text.index('id="verdict"') : text.index('id="classes"')]
    assert verdict.count(qualified) == 1
    test = {**data.streaming["test"], "caveats": []}
    recorded = dataclasses.replace(data, streaming={**data.streaming, "test": test})
    assert qualified not in render_report(recorded)


def test_a_model_of_scenes_has_no_clips_to_show(data):
    text = render_report(
        dataclasses.replace(data, matrix=None, clip_slices={}, scene_sentences=("steps: F1 90 %",))
    )
    assert "steps: F1 90 %" in text and "No clips were evaluated." in text


def test_sensitivities_have_a_table_and_a_mark_on_each_curve(data, text):
    named = sensitivities_at(low=0.9, medium=0.7, high=0.4).to_dict()
    shown = render_report(
        dataclasses.replace(data, streaming={**data.streaming, "sensitivities": named})
    )
    table = shown[shown.index("<caption>Sensitivities") :]
    table = html.unescape(re.sub("<[^>]+>", " ", table[: table.index("</table>")]))
    assert re.search(r"medium \(default\)\s+0\.10\s+0\.7\s+0 \(0 to 0\.92\)", table)
    assert shown.count("<title>high: 0.25 false accepts per hour, 7.0") == 2
    assert shown.count("low: 0.05 /h by hand.") == 1
    assert "Sensitivities" not in text


def test_a_confused_cell_opens_its_clips(text):
    elements = _Elements(text).found
    opens = [a["popovertarget"] for tag, a in elements if tag == "button" and "popovertarget" in a]
    assert opens == ["confused-0-1"]
    assert any(a.get("id") == "confused-0-1" and "popover" in a for _, a in elements)
    assert "3 of “_silence_” predicted as “_unknown_”: listen" in text


def test_a_gate_stands_with_what_chance_alone_may_do(data, text):
    row = re.search(r"clips\.accuracy</span>.*?</tr>", text, re.DOTALL)
    right = 20 * len(data.labels)
    ci = binomtest(right, right + 3).proportion_ci(method="exact")  # Clopper-Pearson
    assert row is not None and f"{ci.low:.3f} to {ci.high:.3f}" in row[0]
