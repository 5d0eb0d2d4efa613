"""The micro frontend and log_mel against programs that are not ours; mfcc: see test_mfcc."""

import numpy as np

from kws import features
from kws.features.params import FeatureParams
from tests.kws.features import golden, reference


def test_micro_features_are_bit_for_bit_what_tensorflow_s_op_gave():
    with np.load(reference.FILE) as kept:
        computed = features.create(FeatureParams()).compute(golden.signal())
        np.testing.assert_array_equal(computed, kept["micro_op"])


def test_micro_features_are_those_that_pymicro_features_gave_but_for_one_in_fifty():
    with np.load(reference.FILE) as kept:
        expected = kept["pymicro_hop_10"]
    computed = features.create(FeatureParams(window_stride_ms=10)).compute(golden.signal())
    assert computed.shape == expected.shape
    assert np.mean(computed == expected) >= 0.98  # How far apart the others are: test_micro.


def test_log_mel_is_the_mel_sum_of_scipy_s_spectrogram():
    from scipy import signal

    audio = golden.signal()
    hz, _, power = signal.spectrogram(
        audio / 32768, 16000, "hann", nperseg=480, noverlap=160, nfft=512, detrend=False,
        scaling="spectrum",
    )  # fmt: skip
    power[1:-1] /= 2  # SciPy adds the negative frequencies' half.
    mel = 2595 * np.log10(1 + hz / 700)
    corners = np.linspace(2595 * np.log10(1 + 125 / 700), 2595 * np.log10(1 + 7500 / 700), 42)
    energy = [power.T @ np.interp(mel, corners[c : c + 3], [0, 1, 0]) for c in range(40)]
    expected = (np.log10(np.stack(energy, axis=1) + 1e-10) + 5) / 2.5
    computed = features.create(FeatureParams(frontend="log_mel")).compute(audio)
    np.testing.assert_allclose(computed, expected, rtol=0, atol=1e-6)


def test_the_spectrogram_is_scipy_s():
    from scipy import signal

    audio = golden.signal()
    params = FeatureParams(
        frontend="spectrogram", window_size_ms=30, window_stride_ms=10, feature_bin_count=241
    )
    _, _, power = signal.spectrogram(
        audio.astype(float), 16000, np.hanning(480), noverlap=320, detrend=False
    )
    computed = features.create(params).compute(audio)
    np.testing.assert_allclose(computed, power.T, rtol=1e-6, atol=1e-9)
