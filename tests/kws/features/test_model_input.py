"""What a model is fed, and its rounding against TFLite's own QUANTIZE operator."""

import numpy as np
import pytest

from kws.features import model_input
from kws.features.params import FeatureParams

COUNT = 4096


def test_micro_features_are_scaled_exactly_and_log_mel_is_left_alone():
    every = np.arange(65536, dtype=np.uint16)
    scaled = model_input.to_model_input(every, FeatureParams())
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled.astype(np.float64), np.arange(65536) * 10 / 256)
    values = np.float32([-2, 0.1, 1.9])
    unchanged = model_input.to_model_input(values, FeatureParams(frontend="log_mel"))
    np.testing.assert_array_equal(unchanged, values)


def test_the_scale_is_described_for_a_reader():
    assert (
        model_input.input_scale_description(FeatureParams())
        == "model input = uint16 micro feature * 0.0390625"
    )


def test_halves_go_away_from_zero_and_the_ends_saturate():
    values = np.float32([-0.5, 0.5, 1.5, 2.5, -2.5, 0.49999997, 1e9, -np.inf, np.inf])
    quantized = model_input.quantize(values, 1.0, 0)
    assert quantized.dtype == np.int8
    assert quantized.tolist() == [-1, 1, 2, 3, -3, 0, 127, -128, 127]


@pytest.mark.parametrize("lowest, highest", [(0.0, 25.5), (0.0, 26.0), (-3.1, 7.3)])
def test_quantize_is_bit_for_bit_the_quantize_operator(lowest, highest):
    run, scale, zero_point = quantize_operator(lowest, highest)
    halves = (np.arange(-400, 400) + 0.5).astype(np.float32) * np.float32(scale)
    micro = model_input.to_model_input(np.arange(700, dtype=np.uint16), FeatureParams())
    rng = np.random.default_rng(0)
    others = rng.uniform(-40, 40, COUNT - len(halves) - len(micro)).astype(np.float32)
    values = np.concatenate([halves, micro, others])
    np.testing.assert_array_equal(model_input.quantize(values, scale, zero_point), run(values))


def test_every_number_is_rounded_as_in_float64():
    # About each half, and random numbers of all magnitudes.
    halves = (np.arange(-300, 300) + 0.5).astype(np.float32)
    near = [np.nextafter(halves, np.float32(toward)) for toward in (-np.inf, np.inf)]
    rng = np.random.default_rng(0)
    values = np.concatenate([halves, *near, rng.normal(0, 10 ** rng.uniform(-9, 9, 10_000))])
    values = values.astype(np.float32)
    exact = np.copysign(np.floor(np.abs(values.astype(np.float64)) + 0.5), values)
    for zero_point in (-128, -3, 0, 127):
        expected = np.clip(exact + zero_point, -128, 127)
        np.testing.assert_array_equal(model_input.quantize(values, 1.0, zero_point), expected)


def test_dequantize_undoes_quantize_within_half_a_step():
    every = np.arange(-128, 128).astype(np.int8)
    values = model_input.dequantize(every, 0.1, -128)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(model_input.quantize(values, 0.1, -128), every)
    assert values[-1] == np.float32(25.5)


def quantize_operator(lowest: float, highest: float):
    """A TFLite model of QUANTIZE (and a concatenation, which copies), on the reference kernels."""
    import tensorflow as tf

    class Twice(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([1, COUNT], tf.float32)])
        def __call__(self, x):
            return tf.concat([x, x], 0)

    module = Twice()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.__call__.get_concrete_function()], module
    )
    calibration = np.linspace(lowest, highest, COUNT, dtype=np.float32)[np.newaxis]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: [[calibration]]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_output_type = tf.int8
    interpreter = tf.lite.Interpreter(
        model_content=converter.convert(),
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    source, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def run(values: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source["index"], values[np.newaxis])
        interpreter.invoke()
        return interpreter.get_tensor(output["index"])[0]

    return run, *output["quantization"]
