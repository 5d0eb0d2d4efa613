"""log_mel: the logarithm of a mel spectrogram, without noise reduction or gain control.

With x a frame of int16 samples / 32768, w a periodic Hann window of the same length and N the next
power of two (the frame is padded with zeros to it at its end):

    P[k] = |FFT_N(x w)[k]|^2 / (sum w)^2     a full-scale tone has at most 1/4
    E[c] = sum_k T[c, k] P[k]                T: triangles of height 1, linear in mel
    y[c] = (log10(E[c] + 1e-10) + 5) / 2.5

mel(f) = 2595 log10(1 + f / 700) (HTK). The triangles' corners divide the band into
`feature_bin_count` + 1 equal parts of the mel scale. 1e-10 is just above what rounding to 16 bits
leaves. So y is -2 for silence, about 0 for speech and below 2 for the loudest tone: a range that an
int8 input with one scale spends well.
"""

import numpy as np

from kws.errors import KwsError
from kws.features.frontend import MemorylessFrontend
from kws.features.params import FeatureParams

FLOOR = 1e-10
CENTRE = 5.0
WIDTH = 2.5


class LogMelFrontend(MemorylessFrontend):
    """float32 features, about -2 to 2; every frame depends on its own window alone.

    Computed in float64 and rounded once, so that float32 results do not depend on the FFT.
    """

    dtype = np.dtype(np.float32)
    model_input_scale = 1.0

    def __init__(self, params: FeatureParams):
        """Raises KwsError if a channel is narrower than the FFT can tell apart."""
        super().__init__(params)
        samples = params.window_samples
        self._fft_length = 1 << (samples - 1).bit_length()
        window = periodic_hann(samples)
        self._window = window / (window.sum() * 32768.0)
        self._triangles = mel_triangles(params, self._fft_length)

    def compute_frames(self, frames: np.ndarray) -> np.ndarray:
        """See `MemorylessFrontend.compute_frames`."""
        spectrum = np.fft.rfft(frames * self._window, self._fft_length)
        power = spectrum.real**2 + spectrum.imag**2
        energy = power @ self._triangles.T
        return (np.log10(energy + FLOOR) + CENTRE) / WIDTH


def periodic_hann(samples: int) -> np.ndarray:
    """float64 `[samples]`: a period of the raised cosine, without its second zero."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples)


def mel_triangles(params: FeatureParams, fft_length: int) -> np.ndarray:
    """Weights float64 `[channels, fft_length // 2 + 1]` of the FFT's bins in each channel.

    Raises:
      KwsError: a channel has no bin.
    """
    bin_hz = params.sample_rate / fft_length
    bins = _mel(bin_hz * np.arange(fft_length // 2 + 1))
    lower, upper = _mel(params.lower_band_limit_hz), _mel(params.upper_band_limit_hz)
    corners = np.linspace(lower, upper, params.feature_bin_count + 2)[:, np.newaxis]
    half = corners[1] - corners[0]
    triangles = np.maximum(0.0, 1.0 - np.abs(bins - corners[1:-1]) / half)
    refuse_empty(triangles, params, bin_hz)
    return triangles


def refuse_empty(triangles: np.ndarray, params: FeatureParams, bin_hz: float) -> None:
    """Raises KwsError if a row, a channel, has no bin of the FFT."""
    empty = np.flatnonzero(~triangles.any(axis=1))
    if empty.size:
        raise KwsError(
            f"feature_bin_count={params.feature_bin_count}: channel {empty[0]} is narrower than "
            f"the FFT's {bin_hz:g} Hz and would stay empty",
            hint="ask for fewer channels or a longer window_size_ms",
        )


def _mel(hz: float | np.ndarray) -> np.ndarray:
    return 2595.0 * np.log10(1.0 + np.asarray(hz) / 700.0)
