"""Pictures of a stream of audio: the words in a scene, and the detections in a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws.detection.detector import keyword_indices
from kws.features.frontend import Frontend
from kws.report.plotting import (
    BLUE,
    GRID,
    INK,
    QUIET_INK,
    SERIES,
    decibels,
    heading,
    literal,
    new_figure,
    plain,
    png,
    reach,
    wave,
)
from kws.scenes.scene import Scene, is_positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kws.detect import Heard, Spotter

_WIDTH, _HEIGHT, _LEFT, _RIGHT = 11.0, 6.2, 0.75, 1.35
"""Inches: of the picture of detections, and of its margins."""
_WAVE_COLUMNS = 1600
KEYWORD, OTHER = "#1b7f5c", "#c2571a"
RANGE_DB = 70.0
"""What the colours of a power spectrogram span, down from its loudest thousandth."""


def draw_detections(heard: Heard, spotter: Spotter, path: Path) -> None:
    """Draws the detections in one recording into a PNG file: waveform, features, posteriors.

    A posterior is drawn at the end of the audio that it rests on, as on a device.
    """
    rate = spotter.frontend.params.sample_rate
    seconds = len(heard.audio) / rate
    figure = new_figure(_WIDTH, _HEIGHT)
    count = len(heard.detections)
    words = ", ".join(f"{one.label} at {one.end_ms / 1000:.2f} s" for one in heard.detections[:6])
    more = f" and {count - 6} more" if count > 6 else ""
    heading(figure, heard.path.name, f"{count} detections{': ' if count else ''}{words}{more}")

    def place(top: float, tall: float):
        box = (
            _LEFT / _WIDTH,
            1 - (top + tall) / _HEIGHT,
            (_WIDTH - _LEFT - _RIGHT) / _WIDTH,
            tall / _HEIGHT,
        )
        return figure.add_axes(box)

    above, middle, below = place(0.8, 1.0), place(2.05, 1.7), place(4.0, 1.6)
    wave(above, heard.audio, rate, BLUE, reach(heard.audio), _WAVE_COLUMNS)
    above.set_ylabel("amplitude", color=QUIET_INK, size=8.5)
    features = spotter.frontend.compute(heard.audio).astype(np.float64).T
    hop = spotter.frontend.params.stride_samples / rate
    if features.size:
        middle.imshow(
            features,
            origin="lower",
            aspect="auto",
            cmap="magma",
            interpolation="antialiased",
            extent=(0, features.shape[1] * hop, -0.5, features.shape[0] - 0.5),
        )
    plain(middle)
    middle.set_ylabel(f"{spotter.frontend.params.frontend} channel", color=QUIET_INK, size=8.5)
    _posteriors(below, heard, spotter)
    below.set_xlabel("seconds", color=QUIET_INK, size=8.5, labelpad=2)
    for axes in (above, middle, below):
        axes.set_xlim(0, seconds)
        for one in heard.detections:
            axes.axvline(one.end_ms / 1000, color=INK, lw=1.0, ls=(0, (3, 2)), alpha=0.8)
    for axes in (above, middle):
        axes.tick_params(labelbottom=False)
    path.write_bytes(png(figure, 120))


def _posteriors(axes, heard: Heard, spotter: Spotter) -> None:
    labels = list(spotter.model.labels)
    times = heard.times_ms / 1000
    for number, index in enumerate(keyword_indices(labels)):
        colour = SERIES[number % len(SERIES)]
        axes.plot(
            times, heard.posteriors[:, index], color=colour, lw=1.2, label=literal(labels[index])
        )
    threshold = spotter.detector.detection_threshold
    axes.axhline(threshold, color=QUIET_INK, lw=0.9, ls=":")
    axes.text(1.005, threshold, f"threshold {threshold:.2f}", transform=axes.get_yaxis_transform(),
              color=QUIET_INK, size=8, va="center")  # fmt: skip
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("posterior", color=QUIET_INK, size=8.5)
    axes.grid(axis="y", color=GRID, lw=0.6)
    plain(axes)
    axes.legend(
        loc="lower left", bbox_to_anchor=(1.005, -0.02), frameon=False, fontsize=8, labelcolor=INK
    )


def draw_scene(scene: Scene, frontend: Frontend, path: Path) -> None:
    """Draws a scene into a PNG file.

    Args:
      scene: what was laid.
      frontend: its features are the spectrogram; power is shown in dB.
      path: of the file.
    """
    truth = scene.truth
    figure = new_figure(12.0, 7.0)
    figure.set_layout_engine("constrained")
    above, spectrogram, labels = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": [2.2, 3.4, 1.0]}
    )
    seconds = truth.duration_ms / 1000
    wave(above, scene.audio, truth.sample_rate, INK, reach(scene.audio), _WAVE_COLUMNS)
    above.set_ylabel("amplitude")
    _draw_features(spectrogram, frontend, scene.audio, seconds)
    _draw_labels(labels, scene.steps, seconds)
    _mark_words((above, spectrogram, labels), scene)
    for axes in (above, spectrogram, labels):
        plain(axes)
        axes.yaxis.label.set_color(INK)
    figure.align_ylabels()
    above.set_xlim(0, seconds)
    labels.set_xlabel("seconds", color=INK)
    above.set_title(
        f"{truth.stream_id}   {seconds:g} s at {truth.sample_rate:,} Hz",
        loc="left", fontsize=11, color=INK, pad=24,
    )  # fmt: skip
    path.write_bytes(png(figure, 130))


def _draw_features(axes: Axes, frontend: Frontend, audio: np.ndarray, seconds: float) -> None:
    from matplotlib.ticker import MaxNLocator

    params = frontend.params
    features = frontend.compute(audio).astype(np.float64).T
    lowest = highest = None
    top = params.channels - 0.5
    if params.frontend == "spectrogram":
        features = decibels(features, params)
        highest = float(np.quantile(features, 0.999))
        lowest = highest - RANGE_DB
        top = params.sample_rate / 2000
        axes.set_ylabel("kHz")
        axes.yaxis.set_major_locator(MaxNLocator(5))
    else:
        axes.set_ylabel(f"{params.frontend} channel")
    axes.imshow(
        features, origin="lower", aspect="auto", cmap="magma", interpolation="antialiased",
        extent=(0, seconds, 0, top), vmin=lowest, vmax=highest,
    )  # fmt: skip
    frames, channels = features.shape[1], features.shape[0]
    _corner(axes, f"{params.frontend}: {frames:,} frames of {channels}", "white", "black")


def _draw_labels(axes: Axes, steps: np.ndarray, seconds: float) -> None:
    edges = np.linspace(0, seconds, len(steps) + 1)
    axes.stairs(steps, edges, fill=True, color=BLUE, alpha=0.85)
    axes.set_ylim(0, 1.45)
    axes.set_yticks([0, 1])
    axes.set_ylabel("label")
    _corner(axes, f"{len(steps):,} steps, {int(steps.sum())} ones", INK, "white")


def _corner(axes: Axes, text: str, colour: str, ground: str) -> None:
    """A line of text in the upper right corner, readable over whatever lies there."""
    axes.text(
        0.995, 0.95, text, transform=axes.transAxes, ha="right", va="top", fontsize=9,
        color=colour, bbox={"facecolor": ground, "edgecolor": "none", "alpha": 0.8, "pad": 2.5},
        zorder=5,
    )  # fmt: skip


def _mark_words(panels: tuple[Axes, ...], scene: Scene) -> None:
    """The words' spans through all panels, and the words themselves above the first."""
    above = panels[0]
    for word in scene.truth.words:
        colour = KEYWORD if is_positive(word.label) else OTHER
        start, end = word.start_ms / 1000, word.end_ms / 1000
        for axes in panels:
            dark = axes is panels[1]
            if not dark:
                axes.axvspan(start, end, color=colour, alpha=0.13, linewidth=0)
            for edge in (start, end):
                axes.axvline(
                    edge, color="white" if dark else colour, linewidth=0.9,
                    alpha=0.85, linestyle=(0, (4, 3)),
                )  # fmt: skip
        above.text(
            (start + end) / 2, 1.02, literal(word.word or word.label),
            transform=above.get_xaxis_transform(), ha="center", va="bottom",
            fontsize=10, fontweight="bold", color=colour,
        )  # fmt: skip
    above.text(
        1.0, 1.14, "keyword", transform=above.transAxes, ha="right", va="bottom",
        fontsize=9, color=KEYWORD, fontweight="bold",
    )  # fmt: skip
    above.text(
        0.935, 1.14, "other word", transform=above.transAxes, ha="right", va="bottom",
        fontsize=9, color=OTHER, fontweight="bold",
    )  # fmt: skip
