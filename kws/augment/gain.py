"""Gain without clipping, and back to 16 bits."""

import numpy as np

PEAK_LIMIT = 32767.0


def with_gain(audio: np.ndarray, gain: float) -> np.ndarray:
    """The audio times `gain`; less of it where the peak would pass full scale.

    Args:
      audio: float32 `[samples]` in int16 units.
      gain: a factor (`level.amplitude` makes it of dB).

    Returns:
      float32 `[samples]`, no sample above 32767.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak * gain > PEAK_LIMIT:
        gain = PEAK_LIMIT / peak
    return audio * np.float32(gain)


def to_int16(audio: np.ndarray) -> np.ndarray:
    """Rounds float `[samples]` in int16 units; what does not fit saturates."""
    return np.rint(audio).clip(-32768, 32767).astype(np.int16)
