"""A picture of a recording: its waveform, and below it what the frontends make of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kws.features.frontend import Frontend
from kws.features.params import FeatureParams
from kws.features.speech_mel import slaney_mel
from kws.report.plotting import (
    GRID,
    INK,
    QUIET_INK,
    decibels,
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
    from matplotlib.image import AxesImage

WIDTH, TOP, BOTTOM, WAVE, PANEL, GAP = 11.0, 0.78, 0.48, 1.0, 1.65, 0.42
"""Inches: of the figure, and from its top: heading, waveform, panels, gaps between, last axis."""
SHARP_DPI = 120
WAVE_COLUMNS = 1600
WAVE_COLOUR = "#1f5fbf"
RANGE_DB = 80.0
"""What the colours of a linear spectrogram span, down from its loudest thousandth."""
QUIET_DB = -110.0
"""The brightest colour is at least this, about what 16 bits leave of silence: it stays dark."""
FULL_SCALE_DB = 20 * np.log10(32768)
TICKS_HZ = (100, 200, 400, 700, 1000, 2000, 4000, 7000, 10_000, 15_000, 20_000)
LEAST_APART = 0.09
"""Of an axis, between two ticks."""
TITLES = {
    "micro": "micro: mel channels in fixed point, noise reduced, gain controlled",
    "log_mel": "log_mel: logarithm of mel channels",
    "mfcc": "mfcc: mel-frequency cepstral coefficients",
    "spectrogram": "spectrogram: linear power",
    "speech_mel": "speech_mel: mel channels of the speech embedding",
}


def draw(
    audio: np.ndarray, frontends: Sequence[Frontend], title: str, words: str, path: Path
) -> None:
    """Draws one panel a frontend below the waveform, all on one axis of time.

    A frame is as wide as the hop, about the middle of its window.

    Args:
      audio: int16 `[samples]` at the frontends' sample rate, at least one window long.
      frontends: all of one sample rate.
      title: first line of the heading.
      words: second line of the heading.
      path: of the PNG.
    """
    height = TOP + WAVE + len(frontends) * (PANEL + GAP) + BOTTOM
    figure = new_figure(WIDTH, height)
    rate = frontends[0].params.sample_rate
    seconds = len(audio) / rate
    heading(figure, title, words)

    def place(top: float, tall: float, left: float, wide: float, shared: Axes | None) -> Axes:
        box = (left / WIDTH, 1 - (top + tall) / height, wide / WIDTH, tall / height)
        return figure.add_axes(box, sharex=shared)

    left, wide, bar = 0.75, WIDTH - 1.95, 0.13
    above = place(TOP, WAVE, left, wide, None)
    wave(above, audio, rate, WAVE_COLOUR, reach(audio), WAVE_COLUMNS)
    above.set_ylabel("amplitude", color=QUIET_INK, size=8.5)
    above.tick_params(labelbottom=False)
    axes, top = above, TOP + WAVE + GAP
    for frontend in frontends:
        axes = place(top, PANEL, left, wide, above)
        image, meaning = _panel(axes, frontend, audio)
        scale = figure.colorbar(image, cax=place(top, PANEL, left + wide + 0.1, bar, None))
        outline: Any = scale.outline
        outline.set_visible(False)
        scale.ax.tick_params(labelsize=8, colors=QUIET_INK, length=2, pad=2)
        scale.set_label(meaning, color=QUIET_INK, size=8.5)
        axes.tick_params(labelbottom=frontend is frontends[-1])
        top += PANEL + GAP
    axes.set_xlabel("seconds", color=QUIET_INK, size=8.5, labelpad=2)
    above.set_xlim(0, seconds)
    path.write_bytes(png(figure, SHARP_DPI))


def _panel(axes: Axes, frontend: Frontend, audio: np.ndarray) -> tuple[AxesImage, str]:
    """Draws one frontend's features; gives the image and what its colours are."""
    params = frontend.params
    features = frontend.compute(audio).astype(np.float64).T
    start = (params.window_samples - params.stride_samples) / 2 / params.sample_rate
    hop = params.stride_samples / params.sample_rate
    span = (start, start + features.shape[1] * hop)
    drawn = {"spectrogram": _linear, "mfcc": _cepstral}.get(params.frontend, _mel_channels)
    image, meaning = drawn(axes, params, features, span)
    frames = f"{features.shape[1]:,} frames x {params.channels}"
    window = f"window {params.window_size_ms:g} ms, hop {params.window_stride_ms:g} ms"
    axes.set_title(TITLES[params.frontend], loc="left", size=9.5, color=INK, weight="bold", pad=4)
    axes.set_title(f"{frames}; {window}", loc="right", size=8.5, color=QUIET_INK, pad=4)
    plain(axes)
    axes.set_facecolor(GRID)
    return image, meaning


def _linear(
    axes: Axes, params: FeatureParams, features: np.ndarray, span: tuple[float, float]
) -> tuple[AxesImage, str]:
    level_db = decibels(features, params) - FULL_SCALE_DB
    loudest = max(QUIET_DB, float(np.quantile(level_db, 0.999)))
    half_bin = params.sample_rate / params.window_samples / 2
    band = (-half_bin, params.sample_rate / 2 + half_bin)
    image = _image(axes, level_db, span, band, vmin=loudest - RANGE_DB, vmax=loudest)
    axes.set_ylim(0, params.sample_rate / 2)
    axes.set_ylabel("Hz", color=QUIET_INK, size=8.5)
    axes.yaxis.set_major_formatter(lambda hz, _: f"{hz:,.0f}")
    return image, "dB of full scale, per Hz"


def _mel_channels(
    axes: Axes, params: FeatureParams, features: np.ndarray, span: tuple[float, float]
) -> tuple[AxesImage, str]:
    """Channels, which are evenly spaced in mel, with ticks where their hertz are round."""
    channels = params.feature_bin_count
    lowest = float(features.min())
    highest = max(lowest + 1, float(features.max()))
    image = _image(axes, features, span, (-0.5, channels - 0.5), vmin=lowest, vmax=highest)
    scale = slaney_mel if params.frontend == "speech_mel" else mel
    lower, upper = scale(params.lower_band_limit_hz), scale(params.upper_band_limit_hz)
    places = (scale(np.array(TICKS_HZ)) - lower) / (upper - lower) * (channels + 1) - 1
    ticks: list[tuple[float, str]] = []
    for hz, place in zip(TICKS_HZ, places, strict=True):
        apart = not ticks or place - ticks[-1][0] >= LEAST_APART * channels
        if -0.5 <= place <= channels - 0.5 and apart:
            ticks.append((float(place), f"{hz:,}"))
    axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
    axes.set_ylabel("Hz (mel scale)", color=QUIET_INK, size=8.5)
    return image, "feature"


def _cepstral(
    axes: Axes, params: FeatureParams, features: np.ndarray, span: tuple[float, float]
) -> tuple[AxesImage, str]:
    """Coefficient 0, the loudness, dwarfs the others: it has colours of its own."""
    count = params.dct_coefficient_count
    image = _image(axes, features[:1], span, (-0.5, 0.5))
    meaning = "coefficient 0"
    if count > 1:
        most = max(1.0, float(np.quantile(np.abs(features[1:]), 0.995)))
        image = _image(
            axes, features[1:], span, (0.5, count - 0.5), cmap="RdBu_r", vmin=-most, vmax=most
        )
        axes.axhline(0.5, color="white", lw=1.5)
        meaning = "feature (0: own colours)"
    axes.set_ylim(-0.5, count - 0.5)
    axes.set_yticks(range(0, count, max(1, -(-count // 7))))
    axes.set_ylabel("coefficient", color=QUIET_INK, size=8.5)
    return image, meaning


def _image(
    axes: Axes,
    values: np.ndarray,
    span: tuple[float, float],
    band: tuple[float, float],
    **how: Any,
) -> AxesImage:
    settings = {"cmap": "magma", "interpolation": "antialiased", **how}
    return axes.imshow(values, origin="lower", aspect="auto", extent=(*span, *band), **settings)
