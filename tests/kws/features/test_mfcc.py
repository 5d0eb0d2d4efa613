"""mfcc against TensorFlow's ops, kept and live, and against SciPy's FFT and DCT.

Tolerance against the ops: 5e-5 of coefficients of some tens; they round the spectrum to float32.
"""

import numpy as np
import pydantic
import pytest

from kws import features
from kws.errors import KwsError
from kws.features import model_input
from kws.features.mfcc import FLOOR
from kws.features.params import FeatureParams
from tests.kws.features import golden, reference

TUTORIAL = {"lower_band_limit_hz": 20.0, "upper_band_limit_hz": 4000.0}
OPS_FLOOR = 1e-12


def mfcc(audio: np.ndarray, **changes) -> np.ndarray:
    """Without a lifter, which the references do not have."""
    params = FeatureParams(frontend="mfcc", **{"cepstral_lifter": 0, **changes})
    return features.create(params).compute(audio)


def heard(audio: np.ndarray, window: int = 480, stride: int = 320) -> np.ndarray:
    """Frames that are not all zeros: those alone are free of the floor, in which we differ."""
    windows = np.lib.stride_tricks.sliding_window_view(audio, window)[::stride]
    return np.abs(windows[:, 1:].astype(int)).max(axis=1) > 20


@pytest.mark.parametrize("name, changes", [("mfcc_ops", {}), ("mfcc_ops_tutorial", TUTORIAL)])
def test_coefficients_are_those_that_tensorflow_s_ops_gave(name, changes):
    audio = golden.signal()
    with np.load(reference.FILE) as kept:
        expected = kept[name]
    computed = mfcc(audio, dct_coefficient_count=13, **changes)
    assert computed.shape == expected.shape == (29, 13)
    rows = heard(audio)
    assert 20 < rows.sum() < len(rows)
    np.testing.assert_allclose(computed[rows], expected[rows], rtol=0, atol=5e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {**TUTORIAL, "dct_coefficient_count": 40},
        {"window_size_ms": 32, "window_stride_ms": 16, "lower_band_limit_hz": 60},
        {"window_size_ms": 40, "feature_bin_count": 26, "lower_band_limit_hz": 300},
    ],
)
def test_coefficients_are_those_of_tensorflow_s_ops_at_other_parameters(changes):
    params = FeatureParams(frontend="mfcc", cepstral_lifter=0, **changes)
    audio = golden.signal(3)[800:]
    expected = reference.mfcc_ops(
        audio,
        window_samples=params.window_samples,
        stride_samples=params.stride_samples,
        band_hz=(params.lower_band_limit_hz, params.upper_band_limit_hz),
        channels=params.feature_bin_count,
        coefficients=params.dct_coefficient_count,
    )
    np.testing.assert_allclose(mfcc(audio, **changes), expected, rtol=0, atol=5e-5)


def test_the_lifter_is_htk_s():
    audio = golden.signal(7)
    plain, liftered = mfcc(audio), mfcc(audio, cepstral_lifter=22)
    # HTK's table of factors begins like this.
    factors = np.array([1.0, 2.565463, 4.099058, 5.569565, 6.947049])
    np.testing.assert_allclose(liftered[:, :5], plain[:, :5] * factors, rtol=2e-6, atol=1e-4)
    with pytest.raises(pydantic.ValidationError, match="cepstral_lifter=0"):
        FeatureParams(frontend="mfcc", dct_coefficient_count=23)


def test_coefficients_follow_from_scipy_s_transforms():
    from scipy import fft, signal

    audio = golden.signal(5)
    starts = np.arange(0, len(audio) - 479, 320)
    frames = np.stack([audio[start : start + 480] for start in starts]) / 32768
    magnitude = np.abs(fft.rfft(frames * signal.get_window("hann", 480), 512))
    corners = 700 * np.expm1(np.linspace(np.log1p(125 / 700), np.log1p(7500 / 700), 42))
    hz = np.arange(257) * 31.25
    triangles = [
        np.interp(np.log1p(hz / 700), np.log1p(corners[c : c + 3] / 700), [0, 1, 0])
        for c in range(40)
    ]
    log_energy = np.log(np.maximum(magnitude @ np.array(triangles).T, FLOOR))
    expected = fft.dct(log_energy, type=2, norm="ortho")[:, :10]
    expected[:, 0] *= np.sqrt(2)
    np.testing.assert_allclose(mfcc(audio), expected, rtol=0, atol=2e-5)


def test_all_but_coefficient_0_are_tf_signal_s_too():
    import tensorflow as tf

    log_energy = np.random.default_rng(0).normal(size=(3, 40)).astype(np.float32)
    from kws.features.mfcc import dct_cosines

    ours = log_energy @ dct_cosines(13, 40).T
    theirs = tf.signal.mfccs_from_log_mel_spectrograms(log_energy).numpy()[:, :13]
    np.testing.assert_allclose(ours[:, 1:], theirs[:, 1:], atol=2e-5)
    np.testing.assert_allclose(ours[:, 0], theirs[:, 0], atol=2e-5)


def test_silence_is_far_above_what_the_ops_make_of_it_and_the_loudest_tone_stays_in_range():
    silent = mfcc(np.zeros(16000, np.int16))
    np.testing.assert_allclose(silent[:, 0], np.sqrt(80) * np.log(FLOOR), rtol=1e-6)
    np.testing.assert_allclose(silent[:, 1:], 0, atol=1e-4)
    assert np.sqrt(80) * np.log(OPS_FLOOR) < -247 < -62 < silent[0, 0] < -61
    noise = np.where(np.random.default_rng(0).random(16000) < 0.5, -32768, 32767)
    loud = mfcc(noise.astype(np.int16))
    assert 35 < loud[:, 0].max() < 50 and np.abs(loud[:, 1:]).max() < 20


def test_noise_of_five_steps_of_16_bits_is_hardly_touched_by_the_floor():
    rng = np.random.default_rng(0)
    quiet = np.rint(rng.normal(0, 5, 16000)).astype(np.int16)  # -76 dBFS
    expected = reference.mfcc_ops(quiet, coefficients=10)
    assert np.mean(np.abs(mfcc(quiet) - expected) < 1e-3) > 0.9


def test_a_frame_has_as_many_values_as_coefficients_and_a_model_is_fed_an_eighth_of_them():
    params = FeatureParams(frontend="mfcc", dct_coefficient_count=13)
    assert params.feature_shape == (49, 13) and params.channels == 13
    assert FeatureParams(dct_coefficient_count=13).feature_shape == (49, 40)
    batch = features.create(params).compute_batch(np.stack([golden.signal()] * 2))
    assert batch.shape == (2, 29, 13) and batch.dtype == np.float32
    np.testing.assert_array_equal(model_input.to_model_input(batch, params), batch / 8)


def test_more_coefficients_than_channels_and_channels_without_a_bin_are_refused():
    with pytest.raises(pydantic.ValidationError, match="dct_coefficient_count=41 is more than"):
        FeatureParams(frontend="mfcc", dct_coefficient_count=41)
    # The one bin of channel 0, 156.25 Hz, is less than half a bin above the band's lower end.
    with pytest.raises(KwsError, match="feature_bin_count=90: channel 0 is narrower"):
        mfcc(golden.signal(), feature_bin_count=90, lower_band_limit_hz=142)
