"""The micro frontend against pymicro-features: the same C code by another build and interface."""

import numpy as np
import pymicro_features
import pytest

from kws import features
from kws.errors import KwsError
from kws.features import model_input
from kws.features.params import FeatureParams
from tests.kws.features import golden


def pymicro(audio: np.ndarray) -> np.ndarray:
    """float64 `[frames, 40]`, 10 ms at a time as a device hears it."""
    frontend, rows = pymicro_features.MicroFrontend(), []
    for start in range(0, len(audio) - 159, 160):
        output = frontend.process_samples(audio[start : start + 160].tobytes())
        assert output.samples_read == 160
        if output.features:
            rows.append(output.features)
    return np.array(rows)


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
