"""What the pictures of recordings have in common: colours, headings, waveforms, a mel axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kws.terminal import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kws.features.params import FeatureParams

INK, QUIET_INK, GRID = "#27364a", "#7b8794", "#e4e8ed"
DPI = 90


def blank(width: float, height: float) -> Figure:
    """A white figure of so many inches, without a window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def heading(figure: Figure, title: str, words: str) -> None:
    """A title and a line of words in the upper left corner, 0.7 inches high."""
    width, height = figure.get_size_inches()
    x = 0.18 / width
    figure.text(
        x, 1 - 0.27 / height, literal(title), size=14, weight="bold", color=INK, va="center"
    )
    figure.text(x, 1 - 0.52 / height, literal(words), size=10, color=QUIET_INK, va="center")


def literal(text: str) -> str:
    """A name for a picture: matplotlib takes what stands between two `$` for a formula."""
    return visible(text).replace("$", r"\$")


def plain(axes: Axes) -> None:
    """No frame, small quiet ticks."""
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(labelsize=8, colors=QUIET_INK, length=2, pad=2)


def wave(
    axes: Axes, audio: np.ndarray, sample_rate: int, color: str, reach: float, columns: int = 500
) -> None:
    """The envelope: the lowest and highest sample of each of so many columns.

    Args:
      axes: to draw in.
      audio: int16 `[samples]`.
      sample_rate: Hz.
      color: of the envelope.
      reach: ends of the axis, see `reach`.
      columns: about as many as there are pixels.
    """
    edges = np.unique(np.linspace(0, len(audio), columns, endpoint=False).astype(int))
    samples = audio.astype(np.float64) / 32768
    low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    axes.axhline(0, color=GRID, lw=0.8, zorder=0)
    axes.fill_between(edges / sample_rate, low, high, color=color, lw=0.5)
    axes.set_ylim(-reach, reach)
    plain(axes)


def reach(*audios: np.ndarray) -> float:
    """An amplitude that holds them all (full scale is 1), not less than a fiftieth."""
    peak = max(float(np.abs(audio.astype(np.float64)).max(initial=0)) for audio in audios)
    return max(0.02, 1.05 * peak / 32768)


def mel(hz: float | np.ndarray) -> np.ndarray:
    """HTK's mel scale."""
    return 2595 * np.log10(1 + np.asarray(hz, np.float64) / 700)


def decibels(features: np.ndarray, params: FeatureParams) -> np.ndarray:
    """float64, of what the spectrogram frontend gives: power, or decibels already."""
    if params.decibel_floor is not None:
        return features.astype(np.float64)
    return 10 * np.log10(np.maximum(features.astype(np.float64), 1e-12))
