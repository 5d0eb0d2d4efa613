"""The first layers of a streaming file, batched: the same numbers as step by step on the device."""

import dataclasses
import itertools

import numpy as np
import pytest

from kws.export import flatbuffer
from kws.export.device_form import DeviceForm
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.runtime import leading_part, load
from tests.kws.runtime.conftest import FEATURE_PARAMS, LABELS, Trial, random_features
from tests.kws.runtime.test_streaming_model import StreamingTrial, streaming

__all__ = ["streaming"]

PIECES = (0, 1, 33, 33, 38, 65, 200, 1000)
"""A stream's steps come in pieces: none, single ones, whole batches and rests of them."""


@pytest.fixture(scope="module")
def trigger() -> bytes:
    """A small trigger_gru: a convolution and its first fully connected layer lead."""
    params = ModelParams(name="trigger_gru", options={"filters": 12, "gru_units": (8, 6)})
    model = registry.build(params, FEATURE_PARAMS.feature_shape, 1, seed=1)
    form = DeviceForm.of(model, params, FEATURE_PARAMS, 1)
    import tensorflow as tf

    return form.to_tflite(random_features(np.random.default_rng(0), 16), FEATURE_PARAMS, tf.int8)


def check(content: bytes, labels: list[str], params: FeatureParams) -> None:
    model, device = (
        load.of_content(content, labels, params, "streaming", runtime=runtime)
        for runtime in ("tflite", "tflm")
    )
    rng = np.random.default_rng(3)
    level = np.repeat(rng.uniform(-120, 60, PIECES[-1] // 50), 50)[:, None, None]
    steps = rng.normal(level, 40, (PIECES[-1], *model.input_shape[1:]))
    steps = np.clip(np.rint(steps), -128, 127).astype(np.int8)
    expected = device.run_steps(steps)
    assert len(np.unique(expected)) > 20
    for _ in range(2):  # and again from the start, whatever was heard before
        parts = [model.run_steps(steps[a:b], fresh=not a) for a, b in itertools.pairwise(PIECES)]
        np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_a_mixed_net_s_stream_in_pieces_is_what_the_device_makes_of_it(
    streaming: StreamingTrial,
) -> None:
    content = streaming.conversion.model
    parts = leading_part.cut_leading_part(content)
    assert parts is not None and leading_part.agrees(content, parts)
    check(content, list(LABELS), FEATURE_PARAMS)


def test_a_trigger_gru_s_stream_in_pieces_is_what_the_device_makes_of_it(trigger: bytes) -> None:
    parts = leading_part.cut_leading_part(trigger)
    assert parts is not None and leading_part.agrees(trigger, parts)
    check(trigger, ["trigger"], FEATURE_PARAMS)


def test_each_layer_is_in_one_of_the_parts(trigger: bytes) -> None:
    parts = leading_part.cut_leading_part(trigger)
    assert parts is not None
    whole, one, rest = (
        flatbuffer.count_operators(file) for file in (trigger, parts.one, parts.rest)
    )
    assert one == {"CONV_2D": 1, "FULLY_CONNECTED": 1}
    assert rest["FULLY_CONNECTED"] == whole["FULLY_CONNECTED"] - 1 and "CONV_2D" not in rest
    assert rest["READ_VARIABLE"] == whole["READ_VARIABLE"] - 1 == 2  # of the recurrent layers
    assert parts.heard.shape == (11, 40) and (parts.heard == -128).all()  # zeros


def test_what_was_computed_otherwise_does_not_agree(trigger: bytes) -> None:
    parts = leading_part.cut_leading_part(trigger)
    assert parts is not None
    another = dataclasses.replace(parts, heard=parts.heard + 1)
    assert not leading_part.agrees(trigger, another)


def test_a_windowed_file_has_no_such_part(trial: Trial) -> None:
    assert leading_part.cut_leading_part(trial.conversion.model) is None
