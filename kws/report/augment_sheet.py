"""Pictures of augmentations: before and after, all at a glance, microphones' curves, noises."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kws import features
from kws.augment.equalizer import KINDS, draw_microphone, gain_db_at
from kws.augment.gallery import Example
from kws.features.params import FeatureParams
from kws.report.plotting import (
    GRID,
    INK,
    QUIET_INK,
    heading,
    mel,
    new_figure,
    plain,
    png,
    reach,
    wave,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEFORE, AFTER = "#8a97a8", "#1f5fbf"
LINES = ("#1f5fbf", "#c2571a", "#1b7f5c", "#8b4aa8", "#b8860b")
COLOURS = 80
"""Of a PNG: enough for a spectrogram, a third of the bytes of full colour."""
RANGE = (-1.6, 1.2)
"""log_mel values from the darkest to the brightest colour (2.5 times as many powers of ten)."""
TICKS_HZ = (250, 1000, 4000)
OVERVIEW_COLUMNS = 5


def draw_example(before: np.ndarray, example: Example, sample_rate: int, path: Path) -> None:
    """Waveforms above spectrograms, before on the left and after on the right.

    Args:
      before: int16 `[samples]`.
      example: what was made of it.
      sample_rate: Hz.
      path: of the PNG.
    """
    figure = new_figure(9.0, 3.9)
    axes = figure.subplots(2, 2, sharex=True, gridspec_kw={"height_ratios": [1.0, 1.7]})
    figure.subplots_adjust(left=0.07, right=0.985, top=0.76, bottom=0.115, wspace=0.07, hspace=0.1)
    seconds = max(len(before), len(example.audio)) / sample_rate
    peak = reach(before, example.audio)
    for column, (audio, color) in enumerate(((before, BEFORE), (example.audio, AFTER))):
        above, below = axes[:, column]
        wave(above, audio, sample_rate, color, peak)
        _spectrogram(below, audio, sample_rate, seconds)
        above.set_xlim(0, seconds)
        above.tick_params(bottom=False, left=False, labelleft=False)
        below.tick_params(labelleft=not column)
        below.set_xlabel("seconds", color=QUIET_INK, size=8.5, labelpad=1)
        above.set_title(
            ("before", "after")[column], loc="left", size=9.5, color=color, pad=3, weight="bold"
        )
    axes[1, 0].set_ylabel("Hz", color=QUIET_INK, size=8.5, labelpad=1)
    heading(figure, example.title, example.words)
    _save(figure, path)


def draw_overview(
    before: np.ndarray, made: Sequence[Example], sample_rate: int, path: Path
) -> None:
    """The recording and all that was made of it, each a waveform above a spectrogram."""
    original = Example(name="original", title="Original", words="as it was", audio=before)
    shown = [original, *made]
    rows = -(-len(shown) // OVERVIEW_COLUMNS)
    height = 0.75 + 2.1 * rows
    figure = new_figure(14.0, height)
    grid = figure.add_gridspec(
        rows, OVERVIEW_COLUMNS, left=0.015, right=0.985, top=1 - 1.15 / height,
        bottom=0.12 / height, wspace=0.07, hspace=0.5,
    )  # fmt: skip
    seconds = max(len(example.audio) for example in shown) / sample_rate
    peak = reach(*(example.audio for example in shown))
    for number, example in enumerate(shown):
        cell = grid[number].subgridspec(2, 1, height_ratios=[1.0, 1.5], hspace=0.06)
        above, below = figure.add_subplot(cell[0]), figure.add_subplot(cell[1])
        wave(above, example.audio, sample_rate, AFTER if number else BEFORE, peak)
        _spectrogram(below, example.audio, sample_rate, seconds)
        above.set_xlim(0, seconds)
        for axes in (above, below):
            axes.set(xticks=[], yticks=[])
        where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        above.annotate(example.title, (0, 1), (0, 15), size=10, color=INK, weight="bold", **where)
        above.annotate(_short(example.words), (0, 1), (0, 4), size=8.5, color=QUIET_INK, **where)
    text = "one recording, each augmentation by itself; in a noisy copy they follow in this order"
    heading(figure, "kws augment", text)
    _save(figure, path)


def draw_microphones(sample_rate: int, path: Path, of_each: int = 8) -> None:
    """Curves of each kind of microphone, as many as `of_each` draws give."""
    figure = new_figure(9.0, 2.9)
    axes = figure.subplots(1, len(KINDS), sharey=True)
    figure.subplots_adjust(left=0.06, right=0.985, top=0.7, bottom=0.17, wspace=0.1)
    hz = np.geomspace(50, 0.49 * sample_rate, 200)
    for axis, kind, color in zip(axes, KINDS, LINES, strict=True):
        for seed in range(of_each):
            sections = draw_microphone(np.random.default_rng(seed), sample_rate, kind).sections
            axis.plot(hz, gain_db_at(sections, hz, sample_rate), color=color, lw=1.1, alpha=0.65)
        axis.set_xscale("log")
        axis.set(xlim=(hz[0], hz[-1]), ylim=(-32, 14), xticks=[100, 1000], yticks=[-24, -12, 0, 12])
        axis.set_xticklabels(["100 Hz", "1 kHz"])
        axis.grid(color=GRID, lw=0.8)
        axis.set_title(kind.replace("_", " "), loc="left", size=9.5, color=color, weight="bold")
        plain(axis)
    axes[0].set_ylabel("gain, dB", color=QUIET_INK, size=8.5, labelpad=1)
    words = f"{of_each} draws of each of the kinds that the equaliser knows"
    heading(figure, "Microphones", words)
    _save(figure, path)


def draw_noises(noises: Mapping[str, np.ndarray], sample_rate: int, path: Path) -> None:
    """Power by octave of noises, by name: each float or int `[samples]`, a few seconds."""
    figure = new_figure(9.0, 3.2)
    axis = figure.subplots()
    figure.subplots_adjust(left=0.07, right=0.86, top=0.75, bottom=0.13)
    free_db = np.inf
    for (name, audio), color in zip(noises.items(), LINES, strict=False):
        hz, level_db = _third_octaves(audio, sample_rate)
        level_db = level_db - np.interp(1000, hz, level_db)
        axis.plot(hz, level_db, color=color, lw=1.8, marker="o", ms=3)
        label: dict[str, Any] = {"textcoords": "offset points", "va": "center", "size": 9.5}
        # Names of lines that end together stand below one another.
        free_db = min(float(level_db[-1]), free_db - 3.5)
        axis.annotate(name, (hz[-1], free_db), (8, 0), color=color, weight="bold", **label)
    axis.set_xscale("log", base=2)
    ticks = [125, 250, 500, 1000, 2000, 4000]
    axis.set(xticks=ticks, xticklabels=[f"{tick:,} Hz" for tick in ticks])
    axis.grid(color=GRID, lw=0.8)
    axis.set_ylabel("dB, at 1 kHz alike", color=QUIET_INK, size=8.5)
    plain(axis)
    heading(figure, "Noises", "power in a hertz: 0, -3 and -6 dB an octave; babble as speech has")
    _save(figure, path)


def _third_octaves(audio: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres in Hz, and mean power density in dB, of thirds of octaves from 100 Hz."""
    size = 8192
    frames = np.asarray(audio[: len(audio) // size * size], np.float64).reshape(-1, size)
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(size)))).mean(axis=0)
    frequency = np.fft.rfftfreq(size, 1 / sample_rate)
    centres = 125 * 2 ** (np.arange(0, 18) / 3)
    centres = centres[centres < 0.44 * sample_rate]
    third = 2 ** (1 / 6)
    bands = [(frequency >= hz / third) & (frequency < hz * third) for hz in centres]
    return centres, np.array([10 * np.log10(power[band].mean()) for band in bands])


def _spectrogram(axes: Axes, audio: np.ndarray, sample_rate: int, seconds: float) -> None:
    params = FeatureParams(
        frontend="log_mel",
        sample_rate=sample_rate,
        window_size_ms=25,
        window_stride_ms=5,
        feature_bin_count=48,
        lower_band_limit_hz=60.0,
        upper_band_limit_hz=0.49 * sample_rate,
    )
    image = features.create(params).compute(audio).T
    band = mel(np.array([60.0, 0.49 * sample_rate]))
    extent = (0.0, len(audio) / sample_rate, float(band[0]), float(band[1]))
    axes.imshow(
        image, origin="lower", aspect="auto", cmap="magma", extent=extent,
        vmin=RANGE[0], vmax=RANGE[1], interpolation="bilinear",
    )  # fmt: skip
    axes.set_xlim(0, seconds)
    axes.set_yticks(mel(np.array(TICKS_HZ)), [f"{hz:,}" for hz in TICKS_HZ])
    plain(axes)


def _short(words: str, most: int = 44) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _save(figure: Figure, path: Path) -> None:
    """A PNG of few colours."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png(figure))).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
