"""Sizes and costs against the papers, by hand, and what the int8 converter makes of the models."""

import numpy as np
import pytest

from kws.micro.params import TFLM_OPERATORS
from kws.models import cost, registry
from kws.models.params import ModelParams

SHAPE, LABELS = (49, 40), 10


def test_ds_cnn_has_the_size_and_cost_of_the_paper():
    model = registry.build(ModelParams(name="ds_cnn"), SHAPE, LABELS)
    norm = 4 * 64
    by_hand = 10 * 4 * 64 + norm + 4 * (9 * 64 + norm + 64 * 64 + norm) + 64 * 10 + 10
    assert model.count_params() == by_hand == 24_202
    positions = 25 * 20  # 49 x 40 after a stride of 2 x 2
    by_hand = positions * (10 * 4 * 64 + 4 * (9 * 64 + 64 * 64)) + 64 * 10
    assert cost.macs(model) == by_hand


def test_tiny_conv_has_the_size_and_cost_of_micro_speech():
    model = registry.build(ModelParams(name="tiny_conv"), SHAPE, LABELS)
    assert model.count_params() == 10 * 8 * 8 + 8 + 25 * 20 * 8 * 10 + 10
    assert cost.macs(model) == 25 * 20 * 8 * 10 * 8 + 25 * 20 * 8 * 10


@pytest.mark.parametrize("name", ["ds_cnn", "tiny_conv"])
def test_a_model_gives_posteriors_for_a_batch_of_features(name):
    model = registry.build(ModelParams(name=name), (20, 8), 4)
    posteriors = model(np.random.default_rng(0).normal(size=(3, 20, 8)).astype(np.float32)).numpy()
    assert posteriors.shape == (3, 4) and posteriors.dtype == np.float32
    np.testing.assert_allclose(posteriors.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "options"), [("ds_cnn", {"filters": 4, "blocks": 2}), ("tiny_conv", {"filters": 2})]
)
def test_the_int8_model_uses_only_operators_of_the_device_and_no_batch_norm(name, options):
    import tensorflow as tf

    model = registry.build(ModelParams(name=name, options=options), (20, 8), 4)
    rng = np.random.default_rng(0)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [rng.uniform(0, 26, (1, 20, 8)).astype(np.float32)] for _ in range(10)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    operators = {op["op_name"] for op in interpreter._get_ops_details()} - {"DELEGATE"}
    assert operators <= set(TFLM_OPERATORS)
    # Folded: a multiplication or addition of its own would be left of an unfolded normalization.
    assert not operators & {"MUL", "ADD", "SUB"}
