"""The C header of a frontend: its constants alone give the frontend back."""

import re

import numpy as np
import pytest

from kws import features
from kws.bundle import device_code
from kws.features.params import FeatureParams

FRONTENDS = (
    FeatureParams(pcan_strength=0.8, scale_shift=5),
    FeatureParams(frontend="log_mel", window_size_ms=25, window_stride_ms=10),
    FeatureParams(
        frontend="mfcc", feature_bin_count=32, dct_coefficient_count=12, cepstral_lifter=22
    ),
    FeatureParams(
        frontend="spectrogram",
        feature_bin_count=241,
        window_size_ms=30,
        density_rate_hz=8000,
        decibel_floor=-20,
    ),
    FeatureParams(frontend="spectrogram", feature_bin_count=241, window_size_ms=30),
)


@pytest.mark.parametrize("params", FRONTENDS, ids=lambda params: params.frontend)
def test_features_follow_from_the_constants_alone(params: FeatureParams) -> None:
    text = device_code.frontend_header(params, "a model", 0.1, -128, 49)
    found = {name.lower(): value for name, value in re.findall(r"#define KWS_(\w+) +(\S+)", text)}
    known = {
        name: value.removesuffix("f")
        for name, value in found.items()
        if name in FeatureParams.model_fields
    }
    again = FeatureParams.model_validate({"frontend": params.frontend, **known})
    audio = np.random.default_rng(0).normal(0, 2000, 16000).astype(np.int16)
    expected = features.create(params).compute(audio)
    np.testing.assert_array_equal(features.create(again).compute(audio), expected)
    assert expected.shape == (int(found["clip_frames"]), int(found["clip_channels"]))
