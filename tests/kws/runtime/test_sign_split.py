"""Layers computed by sign: optimized kernels give TFLM's numbers where they did not."""

from collections.abc import Iterator

import numpy as np
import pytest

from kws.export import flatbuffer
from kws.export.device_form import windowed_to_tflite
from kws.runtime import kernels
from kws.runtime.tflite_model import Int8Model
from kws.runtime.tflm import Tflm
from tests.kws.runtime.conftest import FEATURE_PARAMS, LABELS, random_features


@pytest.fixture(scope="module")
def content() -> bytes:
    """A network whose first two convolutions end without an activation, and whose third has one."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(1)
    layers = tf.keras.layers
    network = tf.keras.Sequential(
        [
            layers.InputLayer(FEATURE_PARAMS.feature_shape),
            layers.Reshape((*FEATURE_PARAMS.feature_shape, 1)),
            layers.Conv2D(16, (5, 4), strides=2, bias_initializer="random_normal"),
            layers.DepthwiseConv2D(3),
            layers.Conv2D(12, 1, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(len(LABELS), activation="softmax"),
        ]
    )
    typical = random_features(np.random.default_rng(0), 32)
    return windowed_to_tflite(network, typical, FEATURE_PARAMS, tf.int8)


def inputs(count: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(2)
    for spread in rng.uniform(5, 90, count):
        values = rng.normal(rng.uniform(-100, 100), spread, (1, *FEATURE_PARAMS.feature_shape))
        yield np.clip(np.rint(values), -128, 127).astype(np.int8)


def activations(content: bytes, *, reference: bool) -> Iterator[list[np.ndarray]]:
    """All that the operators of the whole file make of some inputs, in the order of the tensors."""
    interpreter = kernels.interpreter(content, reference=reference, keep_all=True)
    (source,) = interpreter.get_input_details()
    made = [index for op in interpreter._get_ops_details() for index in op["outputs"]]
    for values in inputs(50):
        interpreter.set_tensor(source["index"], values)
        interpreter.invoke()
        yield [interpreter.get_tensor(index) for index in sorted(made)]


def test_every_activation_is_that_of_the_plain_kernels(content: bytes) -> None:
    parts = kernels.split_tail(content)
    assert parts is not None
    first = parts[0]
    differing = 0
    for plain, split, as_it_was in zip(
        activations(first, reference=True),
        activations(kernels.split_signs(first), reference=False),
        activations(first, reference=False),
        strict=True,
    ):
        # The split file's own tensors come after the file's.
        for expected, found, before in zip(plain, split, as_it_was, strict=False):
            np.testing.assert_array_equal(found, expected)
            differing += np.count_nonzero(before != expected)
    if not differing:
        pytest.skip("this machine's optimized kernels round as the plain ones do anyhow")


def test_the_model_runs_on_optimized_kernels_and_answers_as_the_device(content: bytes) -> None:
    model = Int8Model(content, LABELS, FEATURE_PARAMS)
    assert not model.reference_kernels
    windows = np.concatenate(list(inputs(2000)))
    outputs = model.run(windows)
    assert len(np.unique(outputs, axis=0)) > 100
    np.testing.assert_array_equal(outputs, Tflm(content).run(windows).reshape(2000, -1))


def test_only_layers_that_show_negative_values_are_doubled(content: bytes) -> None:
    before, after = (
        flatbuffer.count_operators(file) for file in (content, kernels.split_signs(content))
    )
    assert after["CONV_2D"] == before["CONV_2D"] + 1 == 3
    assert after["DEPTHWISE_CONV_2D"] == 2 and after["FULLY_CONNECTED"] == 2
    assert after["SUB"] == 3


def test_a_file_without_such_layers_stays_as_it_is(trial) -> None:
    parts = kernels.split_tail(trial.conversion.model)
    assert parts is not None
    assert kernels.split_signs(parts[0]) is parts[0]
    float_io = trial.conversion.float_io
    assert (
        flatbuffer.count_operators(kernels.split_signs(float_io))["SUB"] == 1
    )  # its fully connected layer
