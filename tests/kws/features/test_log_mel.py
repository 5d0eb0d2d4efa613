"""log_mel against its formula, written another way."""

import numpy as np
import pytest

from kws import features
from kws.errors import KwsError
from kws.features.params import FeatureParams
from tests.kws.features import golden


def formula(audio: np.ndarray, params: FeatureParams, fft_length: int) -> np.ndarray:
    """Frame by frame: a DFT as a matrix of cosines and sines, each triangle by interpolation."""
    samples = params.sample_rate * params.window_size_ms // 1000
    hop = params.sample_rate * params.window_stride_ms // 1000
    n, bins = np.arange(samples), np.arange(fft_length // 2 + 1)
    hann = np.sin(np.pi * n / samples) ** 2
    dft = np.exp(-2j * np.pi * np.outer(n, bins) / fft_length)
    band = np.array([params.lower_band_limit_hz, params.upper_band_limit_hz])
    mel = 1127.0 * np.log1p(band / 700)
    step = (mel[1] - mel[0]) / (params.feature_bin_count + 1)
    bins_mel = 1127.0 * np.log1p(bins * params.sample_rate / fft_length / 700)
    rows = []
    for start in range(0, len(audio) - samples + 1, hop):
        power = np.abs((audio[start : start + samples] / 32768 * hann) @ dft / hann.sum()) ** 2
        energies = [
            np.sum(power * np.interp(bins_mel, mel[0] + step * (c + np.arange(3)), [0, 1, 0]))
            for c in range(params.feature_bin_count)
        ]
        rows.append((np.log10(np.array(energies) + 1e-10) + 5) / 2.5)
    return np.array(rows)


@pytest.mark.parametrize(
    "changes, fft_length",
    [
        ({}, 512),
        ({"window_size_ms": 32, "window_stride_ms": 16}, 512),
        ({"window_size_ms": 40, "feature_bin_count": 64, "lower_band_limit_hz": 20}, 1024),
        ({"sample_rate": 8000, "upper_band_limit_hz": 4000, "feature_bin_count": 24}, 256),
    ],
)
def test_features_follow_the_documented_formula(changes, fft_length):
    params = FeatureParams(frontend="log_mel", **changes)
    audio = golden.signal()
    computed = features.create(params).compute(audio)
    # mel(f) is 2595 log10(...) there and 1127 ln(...) here: constants that agree to 1e-5.
    np.testing.assert_allclose(computed, formula(audio, params, fft_length), rtol=0, atol=2e-4)


def test_silence_is_minus_2_and_the_loudest_tone_stays_below_2():
    frontend = features.create(FeatureParams(frontend="log_mel"))
    np.testing.assert_array_equal(frontend.compute(np.zeros(16000, np.int16)), np.float32(-2))
    tone = np.round(32767 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)).astype(np.int16)
    assert 1.5 < frontend.compute(tone).max() < 2


def test_a_channel_that_would_stay_empty_is_refused_by_its_number():
    params = FeatureParams(frontend="log_mel", feature_bin_count=200)
    with pytest.raises(KwsError, match=r"feature_bin_count=200: channel .* narrower .* 31.25 Hz"):
        features.create(params)
