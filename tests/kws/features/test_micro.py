"""The micro frontend against pymicro-features: the same C code by another build and interface."""

import numpy as np
import pymicro_features

from kws import features
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
    difference = np.abs(model_input.to_model_input(computed, params) - reference) / (10 / 256)
    assert np.mean(difference == 0) >= 0.99
    assert difference.max() <= 8  # of some 670
