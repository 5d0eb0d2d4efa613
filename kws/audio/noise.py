"""Stationary noises of a known spectral slope, float32 with unit RMS.

Made in the frequency domain: complex Gaussian spectra of the wanted magnitude, inverse FFT.
"""

import numpy as np

CORNER = 20 / 16000
"""Cycles per sample below which coloured noise is flat (20 Hz at 16 kHz): energy there is not
heard and would take the level from what is."""


def white(n: int, rng: np.random.Generator) -> np.ndarray:
    """White noise, float32 `[n]`: equal power at every frequency."""
    return coloured(n, rng, exponent=0.0)


def pink(n: int, rng: np.random.Generator) -> np.ndarray:
    """Pink noise, float32 `[n]`: power falls by 3 dB an octave (1/f)."""
    return coloured(n, rng, exponent=1.0)


def brown(n: int, rng: np.random.Generator) -> np.ndarray:
    """Brown noise, float32 `[n]`: power falls by 6 dB an octave (1/f^2)."""
    return coloured(n, rng, exponent=2.0)


def coloured(n: int, rng: np.random.Generator, exponent: float) -> np.ndarray:
    """Noise of power 1/f^exponent, float32 `[n]`. Raises ValueError for n < 2."""
    if n < 2:
        raise ValueError(f"n={n} samples of noise: at least 2 have a level")
    length = 1 << (n - 1).bit_length()  # a power of two is fast and at least n; the rest is cut
    frequency = np.maximum(np.fft.rfftfreq(length), CORNER)
    spectrum = rng.standard_normal((2, len(frequency)), dtype=np.float32)
    shaped = (spectrum[0] + 1j * spectrum[1]) * frequency ** (-exponent / 2)
    shaped[0] = 0.0
    noise = np.fft.irfft(shaped, length)[:n]
    return (noise / np.sqrt(np.mean(np.square(noise)))).astype(np.float32)
