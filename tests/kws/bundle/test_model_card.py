"""`model_card.md`: what a person must know before shipping the model."""

import dataclasses
import html
import re
from collections import Counter

import pytest
from markdown_it import MarkdownIt

from kws.bundle import model_card
from kws.bundle.contents import BundleContents
from kws.detection.rates import hourly_rate, share
from tests.kws.runtime.conftest import sensitivities_at

DATA = {
    "clips": {"train": {"yes": 3000, "no": 600}, "test": {"yes": 36, "no": 0}},
    "seconds": {"train": 3600.0, "test": 36.0},
    "speakers": {"train": 120, "test": 9},
    "sources": {"speech_commands": {"train": 3600, "test": 36}},
}


def test_the_data_are_counted_in_clips_hours_and_speakers(contents: BundleContents) -> None:
    card = model_card.render(dataclasses.replace(contents, figures={"data": DATA}))
    assert "| train | 3,600 | 1.00 | 120 |" in card
    assert "| test | 36 | 0.01 | 9 |" in card
    assert "speech_commands 3,636" in card
    assert "Licence of the data: none needed." in card


def test_data_that_nobody_counted_has_no_table(contents: BundleContents) -> None:
    card = model_card.render(contents)
    assert "| hours |" not in card and "random numbers" in card


def test_conditions_have_a_table_and_what_false_accepts_do_not_rest_on_is_said(
    contents: BundleContents,
) -> None:
    babble = {
        "words": 40,
        "miss_rate": share(10, 40).to_dict(),
        "false_accepts_per_hour": hourly_rate(3, 0.25).to_dict(),
    }
    test = {"per_condition": {"babble": babble}, "caveats": ["not judged against recorded speech"]}
    card = model_card.render(dataclasses.replace(contents, figures={"streaming": {"test": test}}))
    # Clopper and Pearson, 10 of 40.
    assert "| babble | 40 | 25.00% | 12.69% to 41.20% | 3 | 0.25 |" in card
    assert "False accepts: not judged against recorded speech." in card


def test_devices_are_estimates_and_say_so(contents: BundleContents) -> None:
    card = model_card.render(contents)
    assert "**estimated**" in card and "2 times off either way" in card
    cost = contents.micro.targets["cortex-m4f"]
    assert f"| CMSIS-NN | {cost.latency_ms:.3g} ms | {cost.duty_cycle:.1%} |" in card
    assert f"{contents.micro.macs:,} multiply-accumulates every 40 ms" in card


def test_each_sensitivity_has_its_errors_with_bounds_and_what_they_rest_on(
    contents: BundleContents,
) -> None:
    named = sensitivities_at(low=0.9, medium=0.7, high=0.4)
    card = model_card.render(dataclasses.replace(contents, sensitivities=named))
    assert (
        "| medium (default) | 0.1 | 0.7 | 0.00 /h (95 %: 0.00 to 0.92; 0 in 4.00 h) | "
        "7.0% (95 %: 2.9% to 13.9%; 7 of 100) | 0.25 /h (95 %: 0.01 to 1.39; 1 in 4.00 h) | "
        "7.0% (95 %: 2.9% to 13.9%; 7 of 100) |"
    ) in card
    assert "- low: 0.05 /h by hand." in card and "KWS_SENSITIVITY" in card
    assert "ESPHome" not in card  # there is no file for it
    assert "Sensitivities" not in model_card.render(contents)


HOSTILE = [
    "<script>alert(1)</script>", "[click](https://example.org)", "![x](https://example.org/x.png)",
    "*bold* _it_ `code` ``", "a | b", "&lt;b&gt;", "# head", "1. one", "a\nb\n\n# c", "\x1b[31mred",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_others_wrote_is_text_to_a_reader_of_markdown(contents: BundleContents, text) -> None:
    """Held against markdown-it, a parser of CommonMark, with the tables and links of GitHub."""
    data = {**DATA, "sources": {text: {"train": 1}}}
    labels = ("_silence_", "_unknown_", text, "no")
    card = model_card.render(
        dataclasses.replace(
            contents,
            labels=labels,
            figures={"data": data, "clips": {"per_class": {text: {}}}},
            info={"data": text, "licence": text, "model": text},
        )
    )
    plain = model_card.render(dataclasses.replace(contents, figures={"data": DATA}))
    parser = MarkdownIt("gfm-like", {"linkify": False})

    def structure(markdown: str) -> Counter[str]:
        rendered = parser.render(markdown)
        return Counter(re.findall(r"<(a|img|script|em|strong|h\d|li|table)\b", rendered))

    expected = structure(plain)
    expected["table"] += 1  # of the classes
    assert structure(card) == expected
    shown = text.replace("\n", "\\n").replace("\x1b", "\\x1b")
    assert parser.render(card).count(html.escape(shown, quote=False)) >= 4
