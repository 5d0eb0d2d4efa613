"""The micro frontend against its arithmetic written again, bit for bit, and another build of it."""

import numpy as np
import pytest

from kws import features
from kws.errors import KwsError
from kws.features import model_input
from kws.features.params import FeatureParams
from tests.kws.features import fixed_point, golden
from tests.kws.features.reference import pymicro

OTHERS = {
    "at_8_kHz": FeatureParams(sample_rate=8000, upper_band_limit_hz=3800, feature_bin_count=24),
    "of_a_longer_fft": FeatureParams(window_size_ms=40, window_stride_ms=30),
    "of_more_gain": FeatureParams(min_signal_remaining=0.2, pcan_offset=40, smoothing_bits=9),
}


@pytest.mark.parametrize("name", [*OTHERS, *(n for n in golden.PARAMS if n.startswith("micro"))])
def test_features_are_bit_for_bit_those_of_the_fixed_point_arithmetic(name):
    params = {**OTHERS, **golden.PARAMS}[name]
    audio = golden.signal(len(name))
    expected = fixed_point.micro(audio, params)
    np.testing.assert_array_equal(features.create(params).compute(audio), expected)
    assert expected.any() and len(np.unique(expected)) > 100


def test_features_are_those_of_pymicro_features():
    params = FeatureParams(window_size_ms=30, window_stride_ms=10)
    audio = np.concatenate([golden.signal(seed) for seed in range(10)])
    computed = features.create(params).compute(audio)
    reference = pymicro(audio)
    assert computed.shape == reference.shape
    same = model_input.to_model_input(computed, params) == reference
    assert np.mean(same) >= 0.995
    # Else a step or two apart, or 10 %, before the logarithm, which is 64 ln(8 v).
    ours, theirs = before_logarithm(computed), before_logarithm(reference * 25.6)
    assert np.all(np.abs(ours - theirs) <= 2.5 + 0.1 * theirs)
    # The filters do not drift apart: the last tenth is as alike as the first.
    assert np.mean(same[-60:]) >= 0.995


def before_logarithm(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, np.exp(values / 64) / 8, 0)


def test_parameters_that_the_c_code_refuses_are_named():
    frontend = features.create(FeatureParams(upper_band_limit_hz=8000))
    with pytest.raises(KwsError, match="feature_bin_count=40 over 125-8000 Hz"):
        frontend.compute(golden.signal())
