"""speech_mel: the log-mel frames that the pretrained speech embedding was trained on.

With x a frame of 512 int16 samples (not scaled) and w a periodic Hann window of 400 samples with 56
zeros on either side:

    P[k] = |FFT_512(x w)[k]|^2
    E[c] = sum_k T[c, k] P[k]     T: triangles of area 1 (in Hz), linear in Slaney's mel, 60-3800 Hz
    y[c] = max(10 log10 E[c], floor) / 10 + 2

Slaney's mel is linear up to 1 kHz and logarithmic above (M. Slaney, "Auditory Toolbox", 1998), as
in librosa. The numbers are those of Google's `speech_embedding` (Lin et al., "Training Keyword
Spotters with Limited and Synthesized Speech Data", 2020, arXiv:2002.01322), but for the floor: in
its training it was 80 dB below the loudest value of the whole input, which a stream cannot know.
"""

import numpy as np

from kws.errors import KwsError
from kws.features.frontend import MemorylessFrontend
from kws.features.log_mel import periodic_hann
from kws.features.params import FeatureParams

FLOOR_DB = 10.0
"""Of E, where `decibel_floor` does not say otherwise.

Loud speech reaches 95 to 110 dB and full scale 113; rounding to 16 bits leaves -4. Median and 90th
percentile of the difference that a fixed floor makes to the embeddings of recordings, in per cent
of their length, against a floor 80 dB below the loudest value of each recording:

    floor, dB                                   -10        0       10       20       30
    words close to a microphone, noise gated   19 60    18 48    11 27     3 16    10 44
    Speech Commands                             0  7     0  7     0  8     1 11     7 23
    the same between digital silence            7 22     5 20     3 17     5 22    13 39
    the same 20 dB quieter                      0  5     1  9     6 20    14 34    24 48
    read speech, 10 s                           1 12     1 12     1 12     0  5     3 15
"""

OFFSET = 2.0
_WINDOW_SAMPLES = 400
_BREAK_HZ, _BREAK_MEL = 1000.0, 15.0
_LOG_STEP = np.log(6.4) / 27

PARAMS = FeatureParams(
    frontend="speech_mel",
    window_size_ms=32,
    window_stride_ms=10,
    feature_bin_count=32,
    lower_band_limit_hz=60,
    upper_band_limit_hz=3800,
)
"""The only ones that the embedding understands; `clip_duration_ms` and `decibel_floor` are free."""

_FIXED = (
    "sample_rate",
    "window_size_ms",
    "window_stride_ms",
    "feature_bin_count",
    "lower_band_limit_hz",
    "upper_band_limit_hz",
)


class SpeechMelFrontend(MemorylessFrontend):
    """float32 features, 3 to about 13; every frame depends on its own window alone.

    Computed in float64 and rounded once, so that float32 results do not depend on the FFT.
    """

    dtype = np.dtype(np.float32)
    model_input_scale = 1.0

    def __init__(self, params: FeatureParams):
        """Raises KwsError for parameters that the speech embedding was not trained with."""
        super().__init__(params)
        for field in _FIXED:
            value, only = getattr(params, field), getattr(PARAMS, field)
            if value != only:
                raise KwsError(
                    f"{field}={value}: speech_mel has {only:g}, as the speech embedding was "
                    "trained with",
                    hint=", ".join(f"{name}={getattr(PARAMS, name):g}" for name in _FIXED),
                )
        samples = params.window_samples
        pad = (samples - _WINDOW_SAMPLES) // 2
        self._window = np.pad(periodic_hann(_WINDOW_SAMPLES), pad)
        triangles = area_triangles(params, samples)
        used = np.flatnonzero(triangles.any(axis=0))
        self._bins = slice(used[0], used[-1] + 1)
        self._triangles = triangles[:, self._bins]
        floor_db = FLOOR_DB if params.decibel_floor is None else params.decibel_floor
        self._floor = 10 ** (floor_db / 10)

    def compute_frames(self, frames: np.ndarray) -> np.ndarray:
        """See `MemorylessFrontend.compute_frames`."""
        spectrum = np.fft.rfft(frames * self._window)[:, self._bins]
        power = spectrum.real**2 + spectrum.imag**2
        return np.log10(np.maximum(power @ self._triangles.T, self._floor)) + OFFSET


def area_triangles(params: FeatureParams, fft_length: int) -> np.ndarray:
    """Weights float64 `[channels, fft_length // 2 + 1]` of the FFT's bins in each channel."""
    bins_hz = params.sample_rate / fft_length * np.arange(fft_length // 2 + 1)
    lower, upper = slaney_mel(np.array([params.lower_band_limit_hz, params.upper_band_limit_hz]))
    corners = _hz(np.linspace(lower, upper, params.feature_bin_count + 2))[:, np.newaxis]
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (bins_hz - left) / (centre - left), (right - bins_hz) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling)) * 2 / (right - left)


def slaney_mel(hz: float | np.ndarray) -> np.ndarray:
    """Slaney's mel scale: 15 at 1 kHz."""
    hz = np.asarray(hz, np.float64)
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz * _BREAK_MEL / _BREAK_HZ, above)


def _hz(mel: np.ndarray) -> np.ndarray:
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _BREAK_HZ / _BREAK_MEL, above)
