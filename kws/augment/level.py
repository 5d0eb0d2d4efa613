"""Levels: root mean square of samples, and decibels below full scale."""

import math

import numpy as np

from kws.audio.descriptors import energy

FULL_SCALE = 32768.0
"""0 dBFS is the RMS of a full-scale square wave, the convention of pydub and of the descriptors."""


def rms(audio: np.ndarray) -> float:
    """Root mean square of int16 or float `[samples]`; 0.0 of an empty array."""
    if not audio.size:
        return 0.0
    return math.sqrt(energy(audio.astype(np.float64)) / audio.size)


def amplitude(level_db: float) -> float:
    """The factor of a gain in dB: 6.02 dB is 2."""
    return float(10.0 ** (level_db / 20.0))


def decibels(factor: float) -> float:
    """The gain in dB of a factor; minus infinity of 0."""
    return float(20.0 * np.log10(factor)) if factor > 0 else float("-inf")


def dbfs(level: float) -> float:
    """An RMS in int16 units, as dB below full scale."""
    return decibels(level / FULL_SCALE)
