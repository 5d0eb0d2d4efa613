"""A small spectrogram as PNG, for a picture beside a play button."""

import io

import numpy as np

WINDOW_MS, HOP_MS = 25, 10
RANGE_DB = 70.0
"""Below the loudest: what is quieter is black."""
BANDS = 80


def png(audio: np.ndarray, sample_rate: int) -> bytes:
    """A PNG: a column every 10 ms, `BANDS` rows up to half the sample rate, mel-spaced.

    Args:
      audio: int16 `[samples]`.
      sample_rate: Hz.
    """
    from matplotlib.image import imsave

    picture = io.BytesIO()
    levels = decibels(audio, sample_rate)
    high = float(levels.max(initial=-120.0))
    imsave(picture, levels[::-1], cmap="magma", vmin=high - RANGE_DB, vmax=high, format="png")
    return picture.getvalue()


def decibels(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """float64 `[BANDS, columns]`, low frequencies first."""
    from kws.report.drawing import mel

    window, hop = sample_rate * WINDOW_MS // 1000, sample_rate * HOP_MS // 1000
    samples = np.zeros(max(len(audio), window))
    samples[: len(audio)] = audio / 32768
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(window), 512 if window <= 512 else None)) ** 2
    bins = mel(np.linspace(0, sample_rate / 2, power.shape[1]))
    centres = np.linspace(bins[1], bins[-1], BANDS)
    rows = np.stack([np.interp(centres, bins, frame) for frame in power], axis=1)
    return 10 * np.log10(rows + 1e-12)
