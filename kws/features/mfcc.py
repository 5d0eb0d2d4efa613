"""mfcc: mel-frequency cepstral coefficients, as TensorFlow's speech commands tutorial has them.

With x a frame of int16 samples / 32768, w a periodic Hann window of the same length and N the next
power of two (the frame is padded with zeros to it at its end):

    A[k] = |FFT_N(x w)[k]|                    magnitude, not power
    E[c] = sum_k T[c, k] A[k]                 T: triangles of height 1, linear in mel, as in log_mel
    L[c] = ln(max(E[c], 1e-3))
    y[i] = sqrt(2 / C) sum_c L[c] cos(pi i (c + 1/2) / C)    a type II DCT; C = feature_bin_count,
                                                             i = 0 ... dct_coefficient_count - 1
    z[i] = (1 + F / 2 sin(pi i / F)) y[i]                    F = cepstral_lifter; 0: z = y

y without the last line is what the tutorial has:
the ops AudioSpectrogram (magnitude_squared) and Mfcc
(tensorflow/core/kernels/{spectrogram,mfcc,mfcc_dct,mfcc_mel_filterbank}.cc), with their rule that
bins begin half a bin above the lower band limit. y[0] is sqrt(2) times what an orthonormal DCT
gives, the others are the same. The lifter is HTK's (Young et al., "The HTK Book", section 5.6): the
higher coefficients are ten times smaller than the first ones, and an int8 input has one scale for
all, so that without it half of them have a handful of values. Mel and band are those of `log_mel`;
the tutorial's band is 20-4000 Hz.

The one difference is the floor, 1e-12 there. Noise of one step of 16 bits is at about 1e-3, so
1e-12 is met by digital zeros alone, and makes y[0] = -247 of them: an int8 input with one scale
would spend two thirds of its steps between -247 and the quietest recording. With 1e-3 y[0] is -62
(for C = 40) in silence and at most about 50, the other z within about 50 of zero.

References: Davis, Mermelstein, "Comparison of parametric representations for monosyllabic word
recognition in continuously spoken sentences", IEEE Transactions on Acoustics, Speech, and Signal
Processing, 1980; Warden, "Speech Commands", 2018 (arXiv:1804.03209).
"""

import numpy as np

from kws.features.frontend import MemorylessFrontend
from kws.features.log_mel import mel_triangles, periodic_hann, refuse_empty
from kws.features.params import FeatureParams

FLOOR = 1e-3


class MfccFrontend(MemorylessFrontend):
    """float32 coefficients, about -62 to 50 the first, -50 to 50 the others.

    A model is fed an eighth of them, about -8 to 6: networks of this size learn from values of the
    order of one. Computed in float64 and rounded once, so that float32 results do not depend on the
    FFT.
    """

    dtype = np.dtype(np.float32)
    model_input_scale = 0.125

    def __init__(self, params: FeatureParams):
        """Raises KwsError if a mel channel is narrower than the FFT can tell apart."""
        super().__init__(params)
        samples = params.window_samples
        self._fft_length = 1 << (samples - 1).bit_length()
        self._window = periodic_hann(samples) / 32768.0
        triangles = mel_triangles(params, self._fft_length)
        bin_hz = params.sample_rate / self._fft_length
        triangles[:, : int(1.5 + params.lower_band_limit_hz / bin_hz)] = 0.0
        refuse_empty(triangles, params, bin_hz)
        self._triangles = triangles
        cosines = dct_cosines(params.dct_coefficient_count, params.feature_bin_count)
        factors = lifter_factors(params.dct_coefficient_count, params.cepstral_lifter)
        self._cosines = factors[:, np.newaxis] * cosines
        self._silence = np.zeros(params.dct_coefficient_count)
        self._silence[0] = np.sqrt(2 * params.feature_bin_count) * np.log(FLOOR)

    def compute_frames(self, frames: np.ndarray) -> np.ndarray:
        """See `MemorylessFrontend.compute_frames`."""
        magnitude = np.abs(np.fft.rfft(frames * self._window, self._fft_length))
        # Above silence, whose coefficients but the first are thus zero without a rounding error.
        above = np.log(np.maximum(magnitude @ self._triangles.T / FLOOR, 1.0))
        return above @ self._cosines.T + self._silence


def lifter_factors(coefficients: int, lifter: int) -> np.ndarray:
    """float64 `[coefficients]`, the factors of y above; ones without a lifter."""
    if not lifter:
        return np.ones(coefficients)
    return 1 + lifter / 2 * np.sin(np.pi * np.arange(coefficients) / lifter)


def dct_cosines(coefficients: int, channels: int) -> np.ndarray:
    """float64 `[coefficients, channels]`, the y of above as a matrix."""
    i, c = np.arange(coefficients)[:, np.newaxis], np.arange(channels)
    return np.sqrt(2.0 / channels) * np.cos(np.pi * i * (c + 0.5) / channels)
