"""Contact sheets of `kws align`: every recording, its energy, and the window that was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kws.audio.align import Aligned, window_energies
from kws.audio.read import read
from kws.report.plotting import literal, new_figure, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, ROWS = 4, 6
_POINTS = 500
"""Waveforms are drawn as the extremes of about this many pieces."""
_RATE = 16000

_INK, _QUIET_INK, _GRID = "#1f2933", "#7b8794", "#d9dee4"
_WINDOW, _INSIDE, _OUTSIDE = "#e3effb", "#1b65b0", "#a9b4c0"
_ENERGY, _DOUBT = "#c2630a", "#b42318"
_FLOOR = -2.1
"""Where the energy curve stands, below a waveform that fills -1 to 1."""
_ENERGY_HEIGHT = 0.8


def draw_sheets(
    rows: Sequence[Aligned],
    folder: Path,
    out: Path,
    clip_duration_ms: int,
    most_pages: int | None = None,
) -> list[Path]:
    """Draws `align-01.png` and so on, the most doubtful recordings first.

    Args:
      rows: what was done; skipped recordings are not drawn.
      folder: where the recordings are.
      out: where to write.
      clip_duration_ms: length of the windows.
      most_pages: of 24 recordings each; None: as many as it takes.

    Returns:
      The pages.
    """
    usable = sorted((row for row in rows if not row.reason), key=lambda row: (-row.doubt, row.path))
    doubtful = sum(bool(row.doubts) for row in usable)
    per_page = COLUMNS * ROWS
    starts = range(0, len(usable), per_page)[:most_pages]
    pages = []
    for number, first in enumerate(starts, start=1):
        shown = usable[first : first + per_page]
        lines = -(-len(shown) // COLUMNS)
        height = 1.25 + 1.75 * lines
        figure = new_figure(16, height)
        axes = figure.subplots(lines, COLUMNS, squeeze=False).ravel()
        figure.subplots_adjust(
            left=0.015,
            right=0.985,
            top=1 - 1.1 / height,
            bottom=0.3 / height,
            wspace=0.1,
            hspace=0.55,
        )
        _head(figure, height, len(usable), doubtful, first, len(shown), clip_duration_ms)
        for axis, row in zip(axes, shown, strict=False):
            audio = read(folder / row.path, _RATE).audio
            _draw(axis, audio, row, clip_duration_ms)
        for axis in axes[len(shown) :]:
            axis.set_axis_off()
        pages.append(out / f"align-{number:02d}.png")
        pages[-1].write_bytes(png(figure, 100))
    return pages


def _head(
    figure, height: float, count: int, doubtful: int, first: int, shown: int, duration_ms: int
) -> None:
    def line(y_inches: float, x: float, text: str, **style: Any) -> None:
        figure.text(x, 1 - y_inches / height, text, va="center", **style)

    title = f"kws align: {count} recordings to {duration_ms / 1000:g} s, {doubtful} doubtful"
    line(0.28, 0.015, title, size=15, weight="bold", color=_INK)
    page = f"{first + 1} to {first + shown} of {count}, the most doubtful first"
    line(0.28, 0.985, page, size=11, color=_QUIET_INK, ha="right")
    legend = [
        (0.015, _INSIDE, "the clip"),
        (0.08, _OUTSIDE, "cut away"),
        (0.15, _ENERGY, "energy of a window, drawn at its middle; the dot is the chosen one"),
        (0.5, _DOUBT, "why to listen: the word touches an edge, or much energy is outside"),
    ]
    for x, color, text in legend:
        line(0.6, x, "■", size=11, color=color)
        line(0.6, x + 0.011, text, size=10, color=_QUIET_INK)


def _draw(axis: Axes, audio: np.ndarray, row: Aligned, clip_duration_ms: int) -> None:
    samples = _RATE * clip_duration_ms // 1000
    start_s, length_s = row.start_ms / 1000, clip_duration_ms / 1000
    left, right = min(0.0, start_s), max(audio.size / _RATE, start_s + length_s)
    axis.axvspan(start_s, start_s + length_s, color=_WINDOW, lw=0)
    for edge in (start_s, start_s + length_s):
        axis.axvline(edge, color=_INSIDE, lw=0.8, alpha=0.6)
    time, low, high = _extremes(audio)
    inside = (time >= start_s) & (time <= start_s + length_s)
    for where, color in ((np.full_like(inside, True), _OUTSIDE), (inside, _INSIDE)):
        axis.fill_between(time[where], low[where], high[where], color=color, lw=0.7)
    axis.axhline(_FLOOR, color=_GRID, lw=0.8)
    if audio.size > samples:
        starts, energy = window_energies(audio, samples, _RATE)
        middle = (starts + samples / 2) / _RATE
        curve = _FLOOR + _ENERGY_HEIGHT * energy / energy.max()
        axis.plot(middle, curve, color=_ENERGY, lw=1.3)
        chosen = start_s + length_s / 2
        axis.plot(chosen, np.interp(chosen, middle, curve), "o", color=_ENERGY, ms=4)
    axis.set(xlim=(left, right), ylim=(_FLOOR - 0.1, 1.1), yticks=[])
    axis.tick_params(axis="x", labelsize=8, colors=_QUIET_INK, length=2, pad=1)
    axis.xaxis.set_major_locator(_whole_ticks(right - left))
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g} s")
    for side in axis.spines.values():
        side.set_visible(False)
    what = f"cut at {start_s:.2f} s" if audio.size > samples else "padded"
    figures = f"{row.original_ms / 1000:.2f} s, {what}" if audio.size != samples else "as it was"
    _over(axis, 0, 13, literal(_short(row.path)), color=_INK, weight="bold")
    _over(axis, 1, 13, figures, color=_QUIET_INK, ha="right")
    _over(axis, 0, 3, "; ".join(row.doubts), color=_DOUBT)


def _over(axis: Axes, x: float, points: float, text: str, **style: Any) -> None:
    """Text at a height in points above a recording."""
    where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axis.annotate(text, (x, 1), (0, points), fontsize=8.5, **where, **style)


def _extremes(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time in s, least and greatest sample of each piece, the greatest magnitude being 1."""
    piece = max(1, audio.size // _POINTS)
    pieces = audio[: audio.size // piece * piece].astype(np.float64).reshape(-1, piece)
    pieces = (pieces - audio.mean()) / max(float(np.abs(pieces - audio.mean()).max()), 1.0)
    time = (np.arange(len(pieces)) + 0.5) * piece / _RATE
    return time, pieces.min(axis=1), pieces.max(axis=1)


def _whole_ticks(seconds: float):
    from matplotlib.ticker import MultipleLocator

    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
    return MultipleLocator(next((step for step in steps if seconds / step <= 6), 200))


def _short(path: str, most: int = 30) -> str:
    return path if len(path) <= most else f"{path[: most // 2 - 1]}…{path[-most // 2 :]}"
