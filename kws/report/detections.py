"""A picture of what a spotter heard: waveform, features, posteriors, and where it fired."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws.report.drawing import GRID, INK, QUIET_INK, blank, heading, literal, plain, reach, wave
from kws.streaming.detector import keyword_indices

if TYPE_CHECKING:
    from kws.detect import Heard, Spotter

WIDTH, HEIGHT = 11.0, 6.2
LEFT, RIGHT = 0.75, 1.35
DPI = 120
WAVE_COLUMNS = 1600
WAVE_COLOUR = "#1f5fbf"
COLOURS = ("#1b7f5c", "#c2571a", "#7a4fbf", "#b8860b", "#a02c4f", "#2c7da0", "#5b7a1f", "#8c564b")


def draw(heard: Heard, spotter: Spotter, path: Path) -> None:
    """Draws one recording into a PNG file.

    A posterior stands at the end of the sound that it is of, as a device has it.
    """
    rate = spotter.frontend.params.sample_rate
    seconds = len(heard.audio) / rate
    figure = blank(WIDTH, HEIGHT)
    count = len(heard.detections)
    words = ", ".join(f"{one.label} at {one.end_ms / 1000:.2f} s" for one in heard.detections[:6])
    more = f" and {count - 6} more" if count > 6 else ""
    heading(figure, heard.path.name, f"{count} detections{': ' if count else ''}{words}{more}")

    def place(top: float, tall: float):
        box = (
            LEFT / WIDTH,
            1 - (top + tall) / HEIGHT,
            (WIDTH - LEFT - RIGHT) / WIDTH,
            tall / HEIGHT,
        )
        return figure.add_axes(box)

    above, middle, below = place(0.8, 1.0), place(2.05, 1.7), place(4.0, 1.6)
    wave(above, heard.audio, rate, WAVE_COLOUR, reach(heard.audio), WAVE_COLUMNS)
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
    figure.savefig(path, dpi=DPI, format="png")


def _posteriors(axes, heard: Heard, spotter: Spotter) -> None:
    labels = list(spotter.model.labels)
    times = heard.times_ms / 1000
    for number, index in enumerate(keyword_indices(labels)):
        colour = COLOURS[number % len(COLOURS)]
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
