"""A section of the page, and how numbers are written on it."""

import dataclasses
import math

from kws.report.page.html import Html

ABSENT = "–"
"""Stands for a figure that nothing was measured for."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page with a heading of its own.

    Attributes:
      key: its anchor.
      title: its heading.
      body: below it.
    """

    key: str
    title: str
    body: Html


def percent(value: float | None, digits: int = 1) -> str:
    """`12.3 %`, never parted at the end of a line."""
    if value is None or math.isnan(value):
        return ABSENT
    return f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


def number(value: float | None, digits: int = 2) -> str:
    """`1,234` or `0.27`; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value:,.0f}" if value == int(value) and digits else f"{value:,.{digits}f}"


def between(low: float | None, high: float | None, share: bool) -> str:
    """95 % bounds: `2.1 to 5.6`."""
    ends = (percent(end) if share else number(end) for end in (low, high))
    return " to ".join(ends)


def interval(rate: dict, share: bool) -> str:
    """A rate of `kws.streaming.rates`, as JSON, with its bounds."""
    if not rate["exposure"]:
        return ABSENT
    estimate = percent(rate["estimate"]) if share else number(rate["estimate"])
    return f"{estimate} ({between(rate['low'], rate['high'], share)})"
