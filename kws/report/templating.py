"""Jinja2 templates of the HTML pages: the environment, and how figures are written on a page.

Names of words, files and speakers come from users' folders: every value is escaped unless it is
`Markup`, which only `plotting.svg` makes. An undefined name is an error and not an empty string.
"""

import base64
import functools
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import soundfile

from kws.gates import figure

TEMPLATES = Path(__file__).parent / "templates"
POLICY = (
    "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'"
)
"""Content security policy of a page that is one file: it may request nothing."""
ABSENT = "–"
"""Stands for a figure that was not measured."""


def render(template: str, **values: Any) -> str:
    """A page.

    Args:
      template: a file of `templates`.
      values: its variables.
    """
    return _environment().get_template(template).render(values)


@functools.cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        percent=percent, number=number, thousands=thousands, figure=figure, bounds=bounds,
        interval=interval,
    )  # fmt: skip
    made.globals.update(ABSENT=ABSENT, POLICY=POLICY)
    return made


def percent(value: float | None, digits: int = 1) -> str:
    """`12.3 %`, never broken at the end of a line."""
    if value is None or math.isnan(value):
        return ABSENT
    return f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


def number(value: float | None, digits: int = 2) -> str:
    """`1,234` or `0.27`; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value:,.0f}" if value == int(value) and digits else f"{value:,.{digits}f}"


def thousands(value: float) -> str:
    """`1,234`."""
    return f"{value:,.0f}"


def bounds(rate: Mapping[str, Any], as_percent: bool) -> str:
    """The 95 % bounds of a rate of `kws.detection.rates` as JSON: `2.1 to 5.6`."""
    return " to ".join((percent if as_percent else number)(rate[end]) for end in ("low", "high"))


def interval(rate: Mapping[str, Any], as_percent: bool) -> str:
    """A rate of `kws.detection.rates` as JSON with its bounds: `3.4 (2.1 to 5.6)`."""
    if not rate["exposure"]:
        return ABSENT
    estimate = (percent if as_percent else number)(rate["estimate"])
    return f"{estimate} ({bounds(rate, as_percent)})"


def flac_url(audio: np.ndarray, sample_rate: int) -> str:
    """A data: URL of int16 `[samples]` in FLAC: lossless, and half the size of WAV."""
    file = io.BytesIO()
    soundfile.write(file, audio, sample_rate, format="FLAC", subtype="PCM_16")
    return f"data:audio/flac;base64,{base64.b64encode(file.getvalue()).decode()}"
