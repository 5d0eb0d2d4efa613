"""A constant behind a convolution's ReLU becomes part of the convolution, and nothing is lost."""

import numpy as np
import pytest

from kws.export import flatbuffer, rewrites
from kws.runtime import kernels, tflm

INPUTS = np.random.default_rng(0).normal(0, 1, (200, 6, 15)).astype(np.float32)


def converted(least: float, *, read_twice: bool = False) -> tuple:
    """A small network that cuts off at `least` behind a convolution, in float and in int8."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(3)
    layers = tf.keras.layers
    inputs = layers.Input(batch_shape=(1, 6, 15))
    image = layers.Reshape((6, 5, 3))(inputs)
    sums = layers.Conv2D(4, 3, bias_initializer="random_normal")(image) * 3.0
    positive = tf.nn.relu(sums - least)
    x = layers.LeakyReLU(0.2)(positive + least)
    if read_twice:
        x = x + positive
    model = tf.keras.Model(inputs, layers.Conv2D(2, 2)(x))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([one[None]] for one in INPUTS)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return model, flatbuffer.slim(converter.convert())


def outputs(content: bytes, inputs: np.ndarray) -> np.ndarray:
    interpreter = kernels.interpreter(content, 1, reference=True)
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero = source["quantization"]
    found = []
    for one in inputs:
        values = np.clip(np.round(one / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(source["index"], values[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(sink["index"])[0])
    scale, zero = sink["quantization"]
    return scale * (np.array(found).astype(np.float32) - zero)


def test_the_addition_is_gone_and_the_outputs_come_no_less_close_to_float():
    model, before = converted(-1.0)
    after = rewrites.fold_offsets(before)
    assert flatbuffer.count_operators(before)[
        "ADD"
    ] == 1 and "ADD" not in flatbuffer.count_operators(after)
    assert len(after) < len(before)
    expected = np.concatenate([model(one[None]).numpy() for one in INPUTS])
    old, new = (np.abs(outputs(content, INPUTS) - expected).mean() for content in (before, after))
    assert new < 1.05 * old < 0.1 * np.abs(expected).mean()


def test_the_device_runs_what_is_left_in_a_smaller_arena_with_the_same_numbers():
    _, before = converted(-1.0)
    after = rewrites.fold_offsets(before)
    rng = np.random.default_rng(1)
    inputs = rng.integers(-128, 128, (20, 6, 15)).astype(np.int8)
    run = tflm.run(after, inputs)
    assert run.arena_bytes < tflm.run(before, inputs).arena_bytes
    interpreter = kernels.interpreter(after, 1, reference=True)
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    for values, found in zip(inputs, run.outputs, strict=True):
        interpreter.set_tensor(source["index"], values[None])
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.get_tensor(sink["index"]).ravel(), found)


@pytest.mark.parametrize("change", [{"least": 0.5}, {"least": -1.0, "read_twice": True}])
def test_what_something_else_reads_or_does_not_begin_at_the_constant_is_left(change):
    _, before = converted(**change)
    after = rewrites.fold_offsets(before)
    assert flatbuffer.count_operators(after).get("CONV_2D") == 2
    if change.get("read_twice"):
        assert after == before
    else:
        # Zero is always in the range of a tensor, so that one cannot begin at 0.5.
        assert flatbuffer.count_operators(after) == flatbuffer.count_operators(before)
