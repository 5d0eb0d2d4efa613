"""Folding changes how a model is computed, not what it says; and int8 then says the same."""

import numpy as np
import pytest
import tensorflow as tf

from kws.export import flatbuffer, rewrites
from kws.export.device_form import DeviceForm
from kws.export.params import TFLM_OPERATORS
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.models import cost, registry
from kws.models.keras_layers import FrequencyDepthwise, SubSpectralNormalization
from kws.models.params import ModelParams
from kws.runtime import kernels

FEATURES = FeatureParams()


@pytest.mark.parametrize(
    ("bands", "kernel", "stride", "parts"),
    [(20, 3, 1, 5), (20, 3, 2, 5), (10, 3, 2, 5), (5, 3, 1, 5), (6, 5, 1, 2), (7, 3, 2, 2)],
)
def test_a_folded_normalization_gives_what_the_two_layers_gave(bands, kernel, stride, parts):
    rng = np.random.default_rng(0)
    inputs = tf.keras.Input((4, bands, 3))
    x = FrequencyDepthwise(kernel, stride, use_bias=False)(inputs)
    model = tf.keras.Model(inputs, SubSpectralNormalization(parts)(x))
    model.set_weights([rng.uniform(0.1, 9, w.shape) for w in model.get_weights()])
    values = rng.normal(size=(2, 4, bands, 3)).astype(np.float32)
    copy = rewrites.fold_subspectral_norm(model)
    assert not any(isinstance(x, SubSpectralNormalization) for x in copy.layers)
    np.testing.assert_allclose(copy(values), model(values), rtol=1e-3, atol=1e-3)
    assert cost.macs(copy) == cost.macs(model)


def test_a_model_without_sub_spectral_normalization_stays_itself():
    model = registry.build(ModelParams(name="tiny_conv"), (49, 40), 4)
    assert rewrites.fold_subspectral_norm(model) is model


def test_a_convolution_that_others_read_is_left_alone():
    inputs = tf.keras.Input((4, 10, 3))
    x = FrequencyDepthwise(3, use_bias=False)(inputs)
    model = tf.keras.Model(inputs, [x, SubSpectralNormalization(5)(x)])
    other = tf.keras.Model(inputs, tf.keras.layers.Add()([x, SubSpectralNormalization(5)(x)]))
    assert rewrites.fold_subspectral_norm(other) is other
    assert rewrites.fold_subspectral_norm(model) is model


def run_int8(content: bytes, clips: np.ndarray) -> np.ndarray:
    """float32 outputs of a file with int8 inputs, clip by clip."""
    interpreter = kernels.interpreter(content, reference=True)
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    outputs = []
    for clip in clips:
        interpreter.set_tensor(source["index"], model_input.quantize(clip[None], *scale_of(source)))
        interpreter.invoke()
        values = interpreter.get_tensor(sink["index"])[0]
        outputs.append(model_input.dequantize(values, *scale_of(sink)))
    return np.stack(outputs)


def scale_of(tensor: dict) -> tuple[float, int]:
    return tensor["quantization"]


def test_in_int8_a_weak_filter_is_heard_beside_one_a_hundred_times_as_strong():
    rng = np.random.default_rng(0)
    inputs = tf.keras.Input(FEATURES.feature_shape)
    image = tf.keras.layers.Reshape((49, 20, 2))(inputs)
    convolution = FrequencyDepthwise(3, use_bias=False)
    normalization = SubSpectralNormalization(5, momentum=0.0)
    model = tf.keras.Model(inputs, normalization(convolution(image)))
    (kernel,) = convolution.get_weights()
    convolution.set_weights([kernel * np.array([[0.1], [10]])])
    clips = rng.integers(0, 670, (8, *FEATURES.feature_shape)).astype(np.uint16)
    fed = model_input.to_model_input(clips, FEATURES)
    model(fed, training=True)  # both filters now have a deviation of 1
    form = DeviceForm.of(model, None, FEATURES, 1)
    content = form.to_tflite(clips, FEATURES, tf.int8)
    assert set(flatbuffer.count_operators(content)) <= set(TFLM_OPERATORS)
    assert flatbuffer.count_macs(content) == cost.macs(model)
    error = np.abs(run_int8(content, fed) - model(fed).numpy()).mean(axis=(0, 1, 2))
    assert error.max() < 0.02  # of the deviation, which is 1
