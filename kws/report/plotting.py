"""How the product plots: matplotlib figures in one palette, saved as PNG or as inline SVG.

A picture that a command writes is a PNG on white. A plot on an HTML page is SVG whose colours are
the style sheet's custom properties, so that it is light or dark as the page is.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup

from kws.terminal import visible

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kws.features.params import FeatureParams

PALETTE = {
    "ink": "#1d2733", "quiet": "#55616f", "line": "#dde2e8", "card": "#ffffff",
    "blue": "#1f5fbf", "soft": "#7a8aa0", "bad": "#a8202f",
    "k1": "#c2571a", "k2": "#7a4fbf", "k3": "#946500", "k4": "#a02c4f", "k5": "#1c7293",
    "k6": "#5b7a1f", "k7": "#8c564b",
}  # fmt: skip
"""Name of a custom property of `templates/style.css` -> its value in the light theme."""
INK, QUIET_INK, GRID = PALETTE["ink"], PALETTE["quiet"], PALETTE["line"]
BLUE, SOFT, BAD = PALETTE["blue"], PALETTE["soft"], PALETTE["bad"]
SERIES = tuple(PALETTE[f"k{number}"] for number in range(1, 8))
"""Colours of several lines in one plot, after `BLUE`."""
DPI = 90
PIXELS_PER_INCH = 72
"""Of an SVG: matplotlib's points are the units of its view box."""
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_PROPERTIES = {value: f"var(--{name})" for name, value in PALETTE.items()}
ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", _XLINK)


def new_figure(width: float, height: float) -> Figure:
    """A white figure of this many inches, without a window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def page_figure(width: int, height: int) -> Figure:
    """A transparent figure for an HTML page, `width` x `height` CSS pixels on a wide screen."""
    figure = new_figure(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH)
    figure.patch.set_visible(False)
    return figure


def page_axes(figure: Figure, bottom: float = 0.0, top: float | None = None) -> Axes:
    """Axes with a grid between two heights in pixels, with room for ticks and labels."""
    width, height = figure.get_size_inches() * PIXELS_PER_INCH
    left, right, below, above = 62, 20, 40, 12
    top = height if top is None else top
    box = (left / width, (bottom + below) / height, (width - left - right) / width,
           (top - bottom - below - above) / height)  # fmt: skip
    axes = figure.add_axes(box)
    plain(axes)
    axes.patch.set_visible(False)
    axes.tick_params(labelsize=12.5, length=0, pad=5)
    axes.grid(color=GRID, lw=1)
    axes.set_axisbelow(True)
    return axes


def name_axes(axes: Axes, x: str, y: str = "") -> None:
    """Labels of the axes of a plot on a page."""
    axes.set_xlabel(literal(x), color=QUIET_INK, size=12.5, labelpad=5)
    axes.set_ylabel(literal(y), color=QUIET_INK, size=12.5, labelpad=5)


def png(figure: Figure, dpi: int = DPI) -> bytes:
    """The figure as a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, dpi=dpi, format="png")
    return file.getvalue()


def svg(
    figure: Figure,
    description: str,
    titles: Mapping[Artist, Sequence[str]] | None = None,
    **data: object,
) -> Markup:
    """The figure as an `<svg>` element for a page with `templates/style.css`.

    Args:
      figure: in colours of `PALETTE`. An artist's `gid` becomes the class of its group.
      description: what one would see, for a reader who does not.
      titles: line of markers -> what each marker says when the mouse rests on it.
      data: `data-` attributes of the element.
    """
    from matplotlib import rc_context

    titles = titles or {}
    for number, artist in enumerate(titles):
        artist.set_gid(f"titles_{number}")
    file = io.BytesIO()
    # Text stays text, so that the page's font and sizes apply; equal figures give equal SVG.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "kws"}):
        figure.savefig(file, format="svg")
    root = ElementTree.fromstring(file.getvalue())
    for number, of_markers in enumerate(titles.values()):
        _title_markers(root, f"titles_{number}", of_markers)
    _clean(root)
    box = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib.update(
        {"viewBox": box, "role": "img", "aria-label": visible(description), "class": "plot"}
    )
    root.attrib.update({f"data-{name}": str(value) for name, value in data.items()})
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _title_markers(root: ElementTree.Element, gid: str, titles: Sequence[str]) -> None:
    group = next(one for one in root.iter(f"{{{_SVG}}}g") if one.get("id") == gid)
    markers = [use for use in group.iter(f"{{{_SVG}}}use")]
    for marker, words in zip(markers, titles, strict=True):
        marker.set("class", "titled")
        ElementTree.SubElement(marker, f"{{{_SVG}}}title").text = visible(words)


def _clean(root: ElementTree.Element) -> None:
    """Removes what would act on the rest of the page, and names colours by custom properties."""
    for parent in list(root.iter()):
        for child in list(parent):
            # The style element would apply to every element of the page.
            if child.tag.endswith(("metadata", "}style")):
                parent.remove(child)
        gid = parent.attrib.pop("id", "") if parent.tag == f"{{{_SVG}}}g" else ""
        # Matplotlib numbers its own groups: line2d_1. A page would have each number twice.
        if gid and not gid.rpartition("_")[2].isdigit():
            parent.set("class", gid)
        if style := parent.get("style"):
            for value, name in _PROPERTIES.items():
                style = style.replace(value, name)
            parent.set("style", style)


def heading(figure: Figure, title: str, words: str) -> None:
    """A title and a line of words in the upper left corner, 0.7 inches high."""
    width, height = figure.get_size_inches()
    x = 0.18 / width
    figure.text(
        x, 1 - 0.27 / height, literal(title), size=14, weight="bold", color=INK, va="center"
    )
    figure.text(x, 1 - 0.52 / height, literal(words), size=10, color=QUIET_INK, va="center")


def literal(text: str) -> str:
    """A name for a picture: matplotlib typesets what stands between two `$` as a formula."""
    return visible(text).replace("$", r"\$")


def plain(axes: Axes) -> None:
    """No frame, small quiet ticks."""
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(labelsize=8, colors=QUIET_INK, length=2, pad=2)


def wave(
    axes: Axes, audio: np.ndarray, sample_rate: int, color: str, reach: float, columns: int = 500
) -> None:
    """The envelope: the lowest and highest sample of each column.

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
    """float64 power in dB of what the spectrogram frontend gives: power, or decibels already."""
    if params.decibel_floor is not None:
        return features.astype(np.float64)
    return 10 * np.log10(np.maximum(features.astype(np.float64), 1e-12))


def mel_spectrogram(
    audio: np.ndarray, sample_rate: int, window_ms: int = 25, hop_ms: int = 10, bands: int = 80
) -> np.ndarray:
    """Power in dB for a small picture: float64 `[bands, columns]`, low frequencies first.

    Args:
      audio: int16 `[samples]`; what is shorter than a window is padded with zeros.
      sample_rate: Hz; the bands, evenly spaced in mel, end at its half.
      window_ms: length of the Hann windows.
      hop_ms: from one window to the next.
      bands: rows of the result.
    """
    window, hop = sample_rate * window_ms // 1000, sample_rate * hop_ms // 1000
    samples = np.zeros(max(len(audio), window))
    samples[: len(audio)] = audio / 32768
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(window), 512 if window <= 512 else None)) ** 2
    bins = mel(np.linspace(0, sample_rate / 2, power.shape[1]))
    centres = np.linspace(bins[1], bins[-1], bands)
    rows = np.stack([np.interp(centres, bins, frame) for frame in power], axis=1)
    return 10 * np.log10(rows + 1e-12)
