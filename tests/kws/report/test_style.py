"""Colours: what is text can be read, in light and in dark (WCAG 2.1, 1.4.3: 4.5 to 1)."""

import re

import pytest

from kws.report import templating
from kws.report.page import DARKEST
from kws.report.plotting import PALETTE

STYLE = (templating.TEMPLATES / "style.css").read_text()
ON = {
    "--ink": ("--page", "--card", "--good-bg", "--bad-bg"),
    "--quiet": ("--page", "--card"),
    "--good": ("--good-bg",),
    "--bad": ("--bad-bg", "--card"),
    "--card": ("--blue",),
}


def _palette(dark: bool) -> dict[str, tuple[int, ...]]:
    block = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[int(dark)]
    found = re.findall(r"(--[a-z0-9-]+): #([0-9a-f]{6})", block)
    return {name: tuple(bytes.fromhex(value)) for name, value in found}


def _luminance(colour) -> float:
    parts = [c / 255 for c in colour]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _contrast(one, other) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_what_it_is_on(dark):
    colours = _palette(dark)
    for text, grounds in ON.items():
        for ground in grounds:
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("shade", ["--shade-right", "--shade-wrong"])
def test_the_darkest_cell_of_the_matrix_can_be_read(dark, shade):
    colours = _palette(dark)
    mixed = [
        DARKEST * a + (1 - DARKEST) * b
        for a, b in zip(colours[shade], colours["--card"], strict=True)
    ]
    assert _contrast(colours["--ink"], mixed) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_lines_stand_out_from_the_card(dark):
    colours = _palette(dark)
    for name in ("--blue", "--soft", "--bad", *(f"--k{i}" for i in range(1, 8))):
        assert _contrast(colours[name], colours["--card"]) >= 3, name


def test_plots_are_drawn_in_the_colours_of_the_light_theme():
    colours = _palette(False)
    for name, value in PALETTE.items():
        assert colours[f"--{name}"] == tuple(bytes.fromhex(value[1:])), name
