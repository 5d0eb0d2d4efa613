"""spectrogram: a linear power spectrogram, the FFT's bins as they are.

With x a frame of int16 samples (not scaled), w a symmetric Hann window of the same length N and F
the density rate, the one-sided power spectral density of Welch's method without averaging (P. D.
Welch, "The use of fast Fourier transform for the estimation of power spectra", IEEE Transactions on
Audio and Electroacoustics, 1967):

    y[k] = c[k] |FFT_N(x w)[k]|^2 / (F sum(w^2))

c is 2, but 1 for k = 0 and, where N is even, for k = N / 2, which have no mirror image. F is the
sample rate unless `density_rate_hz` says otherwise: the trigger-word assignment calls Matplotlib's
`specgram` with NFFT 200, an overlap of 120 and a rate of 8000, whatever the file's rate is.

With `decibel_floor` it is 10 log10(y), which is what `specgram` draws, and no less than the floor:
the power of speech spans nine decades, of which an int8 input with one scale keeps the loudest two.
"""

import numpy as np

from kws.features.frontend import MemorylessFrontend
from kws.features.params import FeatureParams


class SpectrogramFrontend(MemorylessFrontend):
    """float32 power, 0 and up, or its decibels; every frame depends on its own window alone.

    `feature_bin_count` is half the window's samples plus 1: bin k is at k * sample_rate / N Hz.
    Computed in float64 and rounded once, so that float32 results do not depend on the FFT.
    """

    dtype = np.dtype(np.float32)
    model_input_scale = 1.0

    def __init__(self, params: FeatureParams):
        super().__init__(params)
        samples = params.window_samples
        self._window = np.hanning(samples)
        rate_hz = params.density_rate_hz or params.sample_rate
        sides = np.full(samples // 2 + 1, 2.0)
        sides[0] = 1.0
        if samples % 2 == 0:
            sides[-1] = 1.0
        self._scale = sides / (rate_hz * np.square(self._window).sum())

    def compute_frames(self, frames: np.ndarray) -> np.ndarray:
        """See `MemorylessFrontend.compute_frames`."""
        spectrum = np.fft.rfft(frames * self._window)
        power = (spectrum.real**2 + spectrum.imag**2) * self._scale
        floor_db = self.params.decibel_floor
        if floor_db is None:
            return power
        return 10 * np.log10(np.maximum(power, 10 ** (floor_db / 10)))
