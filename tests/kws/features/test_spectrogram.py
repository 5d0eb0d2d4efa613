"""The linear spectrogram, held against Matplotlib's, which the trigger-word assignment draws with.

Tolerance: 1e-6 of each value, which is what rounding to float32 costs.
"""

import numpy as np
import pydantic
import pytest
from matplotlib import mlab

from kws import features
from kws.features.params import FeatureParams

RATE = 44100
ASSIGNMENT = FeatureParams(
    frontend="spectrogram",
    sample_rate=RATE,
    clip_duration_ms=10_000,
    window_size_ms=4.5351,
    window_stride_ms=1.8141,
    feature_bin_count=101,
    density_rate_hz=8000,
)


def sound(samples: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    tone = 9000 * np.sin(2 * np.pi * np.cumsum(np.linspace(0, 0.4, samples)))
    audio = np.rint(tone + rng.normal(0, 500, samples)).astype(np.int16)
    audio[1000:2000] = 0
    return audio


def test_ten_seconds_are_5511_frames_of_101_bins_as_the_assignment_computes_them():
    assert (ASSIGNMENT.window_samples, ASSIGNMENT.stride_samples) == (200, 80)
    assert ASSIGNMENT.feature_shape == (5511, 101)
    audio = sound(10 * RATE)
    reference, _, _ = mlab.specgram(audio, NFFT=200, Fs=8000, noverlap=120)
    computed = features.create(ASSIGNMENT).compute(audio)
    assert computed.dtype == np.float32 and computed.shape == reference.T.shape == (5511, 101)
    np.testing.assert_allclose(computed, reference.T, rtol=1e-6, atol=1e-9)


def test_an_odd_window_and_the_true_rate_are_as_matplotlib_has_them_too():
    params = FeatureParams(
        frontend="spectrogram", sample_rate=8000, window_size_ms=12.625, window_stride_ms=5,
        feature_bin_count=51, upper_band_limit_hz=4000,
    )  # fmt: skip
    audio = sound(8000)
    reference, _, _ = mlab.specgram(audio, NFFT=101, Fs=8000, noverlap=61)
    computed = features.create(params).compute(audio)
    np.testing.assert_allclose(computed, reference.T, rtol=1e-6, atol=1e-9)


def test_a_long_stream_is_the_same_as_its_beginning():
    frontend = features.create(ASSIGNMENT)
    audio = sound(10 * RATE)
    np.testing.assert_array_equal(
        frontend.compute(audio)[:100], frontend.compute(audio[: 99 * 80 + 200])
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"feature_bin_count": 40}, "feature_bin_count=40: .* 200 samples .* has 101"),
        ({"window_stride_ms": 0.001}, "window_stride_ms=0.001 is less than a sample at 44100 Hz"),
        ({"frontend": "micro"}, "micro frontend counts in whole milliseconds"),
    ],
)
def test_parameters_that_make_no_spectrogram_are_refused(change, sentence):
    with pytest.raises(pydantic.ValidationError, match=sentence):
        FeatureParams(**{**ASSIGNMENT.model_dump(), **change})


def test_whole_milliseconds_stay_whole_in_json():
    params = FeatureParams.from_json('{"window_size_ms": 25.0, "window_stride_ms": 10}')
    assert '"window_size_ms":25,"window_stride_ms":10,' in params.to_json()
