"""Ghost batch normalization does what its paper says, here held against its formulas in NumPy."""

import numpy as np
import pytest

from kws.models import blocks
from kws.training import dataset
from kws.training.dataset import Dataset
from kws.training.loop import TrainStep
from kws.training.objective import LabelObjective, label_weights
from kws.training.params import TrainingParams

MOMENTUM, EPSILON, RATE = 0.9, 1e-3, 0.5
PARAMS = TrainingParams(
    batch_size=12,
    ghost_batch_size=4,
    optimizer="sgd",
    momentum=0.0,
    weight_decay=0.0,
    time_shift_frames=0,
)


@pytest.fixture(scope="module")
def clips() -> Dataset:
    """One batch, each part of it louder than the last."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((12, 4, 3)) * np.repeat([1, 2, 5], 4)[:, None, None]
    label_index = np.array([0, 1, 1, 2, 0, 1, 2, 1, 1, 1, 0, 2])
    ids = [f"{number:02d}" for number in range(12)]
    return dataset.from_arrays(features.astype(np.float32), label_index, ids, ("a", "b", "c"))


def network(dropout: float = 0.0):
    """Batch normalization of the inputs, then one layer of weights."""
    import tensorflow as tf

    inputs = tf.keras.layers.Input((4, 3), name="features")
    x = tf.keras.layers.BatchNormalization(
        momentum=MOMENTUM, epsilon=EPSILON, center=False, scale=False, name="norm"
    )(inputs)
    x = blocks.dropout(x, dropout) if dropout else x
    start = tf.keras.initializers.RandomNormal(seed=1)
    softmax = tf.keras.layers.Dense(3, "softmax", use_bias=False, kernel_initializer=start)
    return tf.keras.Model(inputs, softmax(tf.keras.layers.Flatten()(x)))


def trained(clips: Dataset, params: TrainingParams, steps=(0,), model=None) -> list[np.ndarray]:
    """The weights after these steps on the one batch, in the order of the layers."""
    model = model or network()
    step = TrainStep(model, clips, params, LabelObjective(clips, params))
    for number in steps:
        step(clips.features, clips.label_index, number, RATE)
    return [weight.numpy() for weight in model.weights]


def test_the_gradient_is_the_mean_over_examples_that_their_own_part_normalized(clips):
    weights = network().get_weights()[-1]
    importance = label_weights(clips, PARAMS)[clips.label_index]
    gradient = np.zeros_like(weights)
    for start in range(0, 12, 4):
        part = clips.features[start : start + 4]
        normal = (part - part.mean((0, 1))) / np.sqrt(part.var((0, 1)) + EPSILON)
        rows = normal.reshape(4, -1)
        said = np.exp(rows @ weights)
        said /= said.sum(axis=1, keepdims=True)
        error = said - np.eye(3)[clips.label_index[start : start + 4]]
        gradient += rows.T @ (error * importance[start : start + 4, None]) / 12
    *_, found = trained(clips, PARAMS)
    np.testing.assert_allclose(found, weights - RATE * gradient, rtol=1e-4, atol=1e-6)


def test_the_moving_averages_take_in_one_part_after_the_other(clips):
    mean, variance = np.zeros(3), np.ones(3)
    for part in np.split(clips.features, 3):
        mean = MOMENTUM * mean + (1 - MOMENTUM) * part.mean((0, 1))
        variance = MOMENTUM * variance + (1 - MOMENTUM) * part.var((0, 1))
    found_mean, found_variance, _ = trained(clips, PARAMS)
    np.testing.assert_allclose(found_mean, mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found_variance, variance, rtol=1e-4)


def test_one_part_is_the_ordinary_step_bit_for_bit(clips):
    for one, other in zip(
        trained(clips, PARAMS.model_copy(update={"ghost_batch_size": 12})),
        trained(clips, PARAMS.model_copy(update={"ghost_batch_size": None})),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_dropout_in_each_part_is_decided_by_seed_and_step_alone(clips):
    unbroken, resumed = network(dropout=0.5), network(dropout=0.5)
    trained(clips, PARAMS, (0, 1, 2), unbroken)
    trained(clips, PARAMS, (0, 1), resumed)
    trained(clips, PARAMS, (2,), resumed)
    for one, other in zip(resumed.get_weights(), unbroken.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_size_that_leaves_a_rest_is_refused():
    with pytest.raises(ValueError, match="ghost_batch_size=48 does not divide batch_size=128"):
        TrainingParams(batch_size=128, ghost_batch_size=48)
