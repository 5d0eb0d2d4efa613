"""A plot on a page: text is text, colours follow the page, markers say what they are."""

import re
from xml.etree import ElementTree

import pytest

from kws.report.plotting import BLUE, name_axes, page_axes, page_figure, svg

NASTY = '</svg><script>alert("$1$")</script>\x1b'


@pytest.fixture
def plotted() -> str:
    figure = page_figure(460, 200)
    axes = page_axes(figure)
    (line,) = axes.plot([0, 1, 2], [3, 1, 2], "o", color=BLUE)
    name_axes(axes, NASTY, "#1f5fbf")
    return svg(figure, f"Plot of {NASTY}", {line: [NASTY, "second", "third"]})


def test_text_cannot_become_markup(plotted):
    assert "<script" not in plotted and plotted.count("</svg>") == 1
    root = ElementTree.fromstring(plotted.replace("\x1b", ""))
    texts = [one.text for one in root.iter() if one.tag.endswith(("}text", "}title"))]
    shown = NASTY.replace("\x1b", "\\x1b")
    assert texts.count(shown) == 2  # the axis and the first marker; `$` typesets nothing
    assert "\x1b" not in plotted


def test_each_marker_has_its_own_words(plotted):
    titles = re.findall(r'<use[^>]*class="titled"[^>]*><title>(.*?)</title></use>', plotted)
    assert titles[1:] == ["second", "third"]


def test_colours_are_those_of_the_page_and_text_is_left_alone(plotted):
    assert "var(--blue)" in plotted and "var(--line)" in plotted
    styles = re.findall(r'style="([^"]*)"', plotted)
    assert not any(re.search(r"#[0-9a-f]{6}", style) for style in styles)
    assert ">#1f5fbf</text>" in plotted


def test_two_plots_share_a_page(plotted):
    # A style element would act on the whole page, and ids of groups would be there twice.
    assert "<style" not in plotted and "<metadata" not in plotted
    assert not re.search(r"<g[^>]* id=", plotted)
    assert re.search(r'viewBox="0 0 460 200"', plotted) and "width=" not in plotted[:300]
