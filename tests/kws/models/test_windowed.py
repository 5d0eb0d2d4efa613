"""Models that hear a clip: that all of them learns, and what int8 and the device make of it."""

import functools

import numpy as np
import pytest

from kws.export import flatbuffer
from kws.export.params import TFLM_OPERATORS
from kws.models import registry
from kws.models.params import ModelParams
from kws.runtime import kernels, tflm

SHAPE, LABELS = (20, 8), 4
SMALL = {
    "bc_resnet": {"width": 0.25, "blocks": (1, 2, 1, 1), "parts": 1},
    "conv": {
        "filters": 4,
        "first_kernel": (6, 3),
        "pool": (1, 2),
        "second_kernel": (3, 2),
        "linear_units": 4,
        "hidden_units": 6,
    },
    "crnn": {"filters": 3, "gru_units": 4, "hidden_units": 5},
    "ds_cnn": {"filters": 4, "blocks": 2, "block_stride": 2},
    "low_latency_conv": {"filters": 4, "linear_units": 3, "hidden_units": 6},
    "low_latency_svdf": {"units": 6, "hidden_units": 5},
    "matchbox_net": {"blocks": 1, "sub_blocks": 2, "filters": 4, "outer_filters": 4},
    "single_fc": {},
    "spectrogram_cnn": {
        "side": 9,
        "first_filters": 2,
        "second_filters": 3,
        "first_units": 8,
        "second_units": 4,
    },
    "tc_resnet": {"width": 0.25},
    "tiny_conv": {"filters": 2},
}
TRAINING_FORMS = {
    "ds_tc_resnet": {
        "filters": (6, 4, 5),
        "kernels": (5, 7, 3),
        "dilations": (1, 1, 2),
        "residual": (False, True, False),
        "pools": (1, 2, 1),
    },
    "mixed_net": {
        "first_filters": 4,
        "kernels": ((3,), (3, 4)),
        "filters": (5, 6),
        "residual": (False, True),
    },
}
"""Streaming models, which can hear a clip like a windowed one too."""
ELEMENTWISE = {
    "bc_resnet": {"ADD", "MUL"},  # Its sums, swish, and the sub-spectral normalization.
    "crnn": {"ADD", "MUL", "SUB"},  # Its gates.
    "ds_tc_resnet": {"ADD"},
    "low_latency_svdf": {"ADD"},
    "matchbox_net": {"ADD"},
    "mixed_net": {"ADD"},
    "tc_resnet": {"ADD"},
}
"""What may be left of them: elsewhere they are a normalization that was not folded."""


@functools.lru_cache
def small(name):
    params = ModelParams(name=name, options={**SMALL, **TRAINING_FORMS}[name])
    return registry.build(params, SHAPE, LABELS)


def clips(count):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 26, (count, *SHAPE)).astype(np.float32)


def test_no_windowed_model_is_left_out():
    assert set(SMALL) == {n for n in registry.names() if not registry.architecture(n).STREAMING}


@pytest.mark.parametrize("name", [*SMALL, *TRAINING_FORMS])
def test_every_weight_has_a_part_in_what_a_model_learns(name):
    import tensorflow as tf

    model = small(name)
    with tf.GradientTape() as tape:
        loss = -tf.math.log(model(clips(16) / 9, training=True)[:, 0])
    gradients = tape.gradient(loss, model.trainable_weights)
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient.numpy()).all(), weight.name


@pytest.mark.parametrize("name", [*SMALL, *TRAINING_FORMS])
def test_a_model_is_the_same_in_int8_on_the_device_within_its_operators(name):
    import tensorflow as tf

    model, data = small(name), clips(12)
    posteriors = model(data).numpy()
    assert posteriors.shape == (12, LABELS) and posteriors.dtype == np.float32
    np.testing.assert_allclose(posteriors.sum(axis=1), 1, rtol=1e-5)

    function = tf.function(lambda features: model(features, training=False))
    signature = tf.TensorSpec([1, *SHAPE], tf.float32)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(signature)], model
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([clip[None]] for clip in data)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    content = converter.convert()
    found = set(flatbuffer.count_operators(content))
    assert found <= set(TFLM_OPERATORS)
    assert found & {"ADD", "MUL", "SUB"} <= ELEMENTWISE.get(name, set())

    interpreter = kernels.interpreter(content, reference=True)
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero_point = source["quantization"]
    inputs = np.clip(np.rint(data / scale) + zero_point, -128, 127).astype(np.int8)
    outputs = []
    for clip in inputs:
        interpreter.set_tensor(source["index"], clip[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink["index"])[0])
    scale, zero_point = sink["quantization"]
    error = np.abs((np.stack(outputs).astype(float) - zero_point) * scale - posteriors)
    assert error.max() < 0.06
    # One step: TFLM's LOGISTIC and TANH are computed, TFLite's looked up.
    on_device = tflm.run(content, inputs).outputs
    assert np.abs(on_device.astype(int) - np.stack(outputs)).max() <= 1


def test_layers_that_keras_has_not_are_copied_and_saved_like_its_own(tmp_path):
    import tensorflow as tf

    from kws.models.keras_layers import FrequencyDepthwise, SubSpectralNormalization, UnrolledGru

    layers = tf.keras.layers
    inputs = layers.Input((3, 8, 2))
    x = FrequencyDepthwise(3, stride=2)(inputs)
    x = SubSpectralNormalization(2)(x)
    outputs = UnrolledGru(3)(layers.Reshape((3, 8))(x))
    model = tf.keras.Model(inputs, outputs)
    data = np.random.default_rng(0).normal(size=(2, 3, 8, 2)).astype(np.float32)
    copy = tf.keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(data).numpy(), model(data).numpy())
    model.save(str(tmp_path), include_optimizer=False)
    loaded = tf.keras.models.load_model(str(tmp_path), compile=False)
    np.testing.assert_allclose(loaded(data).numpy(), model(data).numpy(), atol=1e-6)


@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_an_unrolled_gru_is_keras_gru(reset_after, return_sequences):
    import tensorflow as tf

    from kws.models.keras_layers import UnrolledGru

    features = clips(2)
    options = {"reset_after": reset_after, "return_sequences": return_sequences}
    keras = tf.keras.layers.GRU(3, bias_initializer="random_normal", **options)
    expected = keras(features / 26).numpy()
    ours = UnrolledGru(3, **options)
    ours.build((None, *SHAPE))
    ours.set_weights(keras.get_weights())
    np.testing.assert_allclose(ours(features / 26).numpy(), expected, atol=1e-6)


def test_sub_spectral_normalization_gives_every_part_and_filter_its_own_figures():
    from kws.models.keras_layers import SubSpectralNormalization

    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 5, 6, 3)) * rng.uniform(1, 9, (1, 1, 6, 3)) + 4
    layer = SubSpectralNormalization(2, epsilon=0.0)
    normalized = layer(values.astype(np.float32), training=True).numpy()
    for part in (slice(0, 3), slice(3, 6)):
        mean = values[:, :, part].mean(axis=(0, 1, 2))
        deviation = values[:, :, part].std(axis=(0, 1, 2))
        expected = (values[:, :, part] - mean) / deviation
        np.testing.assert_allclose(normalized[:, :, part], expected, atol=1e-4)
    assert layer.gamma.shape.num_elements() == 2 * 3


def test_frequency_depthwise_is_a_convolution_over_the_bands_of_each_frame():
    from kws.models.keras_layers import FrequencyDepthwise

    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 4, 6, 3)).astype(np.float32)
    layer = FrequencyDepthwise(3, stride=2, use_bias=False)
    outputs = layer(values).numpy()
    kernel = layer.get_weights()[0][:, 0, :, 0]
    padded = np.pad(values, ((0, 0), (0, 0), (0, 1), (0, 0)))  # SAME: 0 before, 1 after
    for band in range(3):
        expected = (padded[:, :, 2 * band : 2 * band + 3] * kernel).sum(axis=2)
        np.testing.assert_allclose(outputs[:, :, band], expected, atol=1e-5)
