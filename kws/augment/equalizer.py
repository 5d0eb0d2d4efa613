"""Equaliser filters: biquads after Robert Bristow-Johnson's "Cookbook formulae for audio equalizer
biquad filter coefficients" (W3C Note, 2021, https://www.w3.org/TR/audio-eq-cookbook/).

Each function gives one section `[b0, b1, b2, 1, a1, a2]`, float64 `[6]`, as scipy.signal.sosfilt
takes it. Frequencies are in Hz and must be below half the sample rate.
"""

from collections.abc import Sequence

import numpy as np

BUTTERWORTH_Q = 0.7071


def high_pass(hz: float, sample_rate: int, q: float = BUTTERWORTH_Q) -> np.ndarray:
    """-3 dB at `hz` (with the default q), -12 dB an octave below it."""
    cosine, alpha = _angle(hz, sample_rate, q)
    b1 = -(1 + cosine)
    return _section(-b1 / 2, b1, -b1 / 2, 1 + alpha, -2 * cosine, 1 - alpha)


def low_pass(hz: float, sample_rate: int, q: float = BUTTERWORTH_Q) -> np.ndarray:
    """-3 dB at `hz` (with the default q), -12 dB an octave above it."""
    cosine, alpha = _angle(hz, sample_rate, q)
    b1 = 1 - cosine
    return _section(b1 / 2, b1, b1 / 2, 1 + alpha, -2 * cosine, 1 - alpha)


def peak(hz: float, gain_db: float, sample_rate: int, q: float = 1.0) -> np.ndarray:
    """`gain_db` at `hz`, nothing far from it; a higher q is narrower."""
    cosine, alpha = _angle(hz, sample_rate, q)
    a = 10.0 ** (gain_db / 40)
    return _section(
        1 + alpha * a, -2 * cosine, 1 - alpha * a, 1 + alpha / a, -2 * cosine, 1 - alpha / a
    )


def low_shelf(hz: float, gain_db: float, sample_rate: int, q: float = BUTTERWORTH_Q) -> np.ndarray:
    """`gain_db` well below `hz`, half of it (in dB) at `hz`, nothing above."""
    cosine, alpha = _angle(hz, sample_rate, q)
    a = 10.0 ** (gain_db / 40)
    root = 2 * np.sqrt(a) * alpha
    return _section(
        a * ((a + 1) - (a - 1) * cosine + root),
        2 * a * ((a - 1) - (a + 1) * cosine),
        a * ((a + 1) - (a - 1) * cosine - root),
        (a + 1) + (a - 1) * cosine + root,
        -2 * ((a - 1) + (a + 1) * cosine),
        (a + 1) + (a - 1) * cosine - root,
    )


def high_shelf(hz: float, gain_db: float, sample_rate: int, q: float = BUTTERWORTH_Q) -> np.ndarray:
    """`gain_db` well above `hz`, half of it (in dB) at `hz`, nothing below."""
    cosine, alpha = _angle(hz, sample_rate, q)
    a = 10.0 ** (gain_db / 40)
    root = 2 * np.sqrt(a) * alpha
    return _section(
        a * ((a + 1) + (a - 1) * cosine + root),
        -2 * a * ((a - 1) + (a + 1) * cosine),
        a * ((a + 1) + (a - 1) * cosine - root),
        (a + 1) - (a - 1) * cosine + root,
        2 * ((a - 1) - (a + 1) * cosine),
        (a + 1) - (a - 1) * cosine - root,
    )


def equalize(audio: np.ndarray, sections: Sequence[np.ndarray]) -> np.ndarray:
    """The audio through the filters one after the other.

    Args:
      audio: float32 or int16 `[samples]`.
      sections: biquads as the functions above make them; none changes nothing.

    Returns:
      float32 `[samples]`, in the units of the input.
    """
    from scipy import signal

    samples = audio.astype(np.float32)
    if not len(sections):
        return samples
    # In single precision a biquad at 60 Hz would be noisy.
    return signal.sosfilt(np.stack(sections), samples.astype(np.float64)).astype(np.float32)


def gain_db_at(sections: Sequence[np.ndarray], hz: np.ndarray, sample_rate: int) -> np.ndarray:
    """The curve: gain in dB, float64 `[frequencies]`."""
    z = np.exp(-2j * np.pi * np.asarray(hz) / sample_rate)
    response = np.ones(len(z), complex)
    for b0, b1, b2, a0, a1, a2 in sections:
        response *= (b0 + b1 * z + b2 * z**2) / (a0 + a1 * z + a2 * z**2)
    return 20 * np.log10(np.maximum(np.abs(response), 1e-12))


def _angle(hz: float, sample_rate: int, q: float) -> tuple[float, float]:
    """The cookbook's cos(w0) and alpha."""
    if not 0 < hz < sample_rate / 2:
        raise ValueError(f"hz={hz}: a filter must lie between 0 and {sample_rate / 2:g} Hz")
    w0 = 2 * np.pi * hz / sample_rate
    return float(np.cos(w0)), float(np.sin(w0) / (2 * q))


def _section(b0: float, b1: float, b2: float, a0: float, a1: float, a2: float) -> np.ndarray:
    return np.array([b0, b1, b2, a0, a1, a2]) / a0
