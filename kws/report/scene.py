"""A picture of a scene: waveform, spectrogram and label vector above one another."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws.features.frontend import Frontend
from kws.report.drawing import decibels
from kws.scenes.scene import Scene, is_positive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KEYWORD, OTHER, INK, LABEL = "#1b7f5c", "#c2571a", "#27364a", "#1f5fbf"
SIZE_INCHES = (12.0, 7.0)
DPI = 130
RANGE_DB = 70.0
"""What the colours of a power spectrogram span, down from its loudest thousandth."""
WAVE_COLUMNS = 2400


def draw_scene(scene: Scene, frontend: Frontend, path: Path) -> None:
    """Draws a scene into a PNG file.

    Args:
      scene: what was laid.
      frontend: its features are the spectrogram; power is shown in dB.
      path: of the file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    truth = scene.truth
    figure = Figure(figsize=SIZE_INCHES, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    wave, spectrogram, labels = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": [2.2, 3.4, 1.0]}
    )
    seconds = truth.duration_ms / 1000
    _draw_wave(wave, scene.audio, seconds)
    _draw_features(spectrogram, frontend, scene.audio, seconds)
    _draw_labels(labels, scene.steps, seconds)
    _mark_words((wave, spectrogram, labels), scene)
    for axes in (wave, spectrogram, labels):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK, labelsize=9)
        axes.yaxis.label.set_color(INK)
    figure.align_ylabels()
    wave.set_xlim(0, seconds)
    labels.set_xlabel("seconds", color=INK)
    wave.set_title(
        f"{truth.stream_id}   {seconds:g} s at {truth.sample_rate:,} Hz",
        loc="left", fontsize=11, color=INK, pad=24,
    )  # fmt: skip
    figure.savefig(path, dpi=DPI)


def _draw_wave(axes: "Axes", audio: np.ndarray, seconds: float) -> None:
    """The envelope: the lowest and highest sample of each column of pixels."""
    columns = min(WAVE_COLUMNS, len(audio))
    edges = np.linspace(0, len(audio), columns + 1).astype(int)[:-1]
    samples = audio.astype(np.float32) / 32768
    times = edges / len(audio) * seconds
    low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    axes.fill_between(times, low, high, color=INK, linewidth=0.4, alpha=0.9)
    reach = max(0.05, float(np.abs(samples).max()) * 1.1)
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("amplitude")


def _draw_features(axes: "Axes", frontend: Frontend, audio: np.ndarray, seconds: float) -> None:
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


def _draw_labels(axes: "Axes", steps: np.ndarray, seconds: float) -> None:
    edges = np.linspace(0, seconds, len(steps) + 1)
    axes.stairs(steps, edges, fill=True, color=LABEL, alpha=0.85)
    axes.set_ylim(0, 1.45)
    axes.set_yticks([0, 1])
    axes.set_ylabel("label")
    _corner(axes, f"{len(steps):,} steps, {int(steps.sum())} ones", INK, "white")


def _corner(axes: "Axes", text: str, colour: str, ground: str) -> None:
    """A line of text in the upper right corner, readable over whatever lies there."""
    axes.text(
        0.995, 0.95, text, transform=axes.transAxes, ha="right", va="top", fontsize=9,
        color=colour, bbox={"facecolor": ground, "edgecolor": "none", "alpha": 0.8, "pad": 2.5},
        zorder=5,
    )  # fmt: skip


def _mark_words(panels: "tuple[Axes, ...]", scene: Scene) -> None:
    """The words' spans through all panels, and what is said above the first."""
    wave = panels[0]
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
        wave.text(
            (start + end) / 2, 1.02, word.word or word.label,
            transform=wave.get_xaxis_transform(), ha="center", va="bottom",
            fontsize=10, fontweight="bold", color=colour,
        )  # fmt: skip
    wave.text(
        1.0, 1.14, "keyword", transform=wave.transAxes, ha="right", va="bottom",
        fontsize=9, color=KEYWORD, fontweight="bold",
    )  # fmt: skip
    wave.text(
        0.935, 1.14, "other word", transform=wave.transAxes, ha="right", va="bottom",
        fontsize=9, color=OTHER, fontweight="bold",
    )  # fmt: skip
