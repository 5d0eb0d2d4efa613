"""A step of training follows its formulas, and the optimizers are those of their papers."""

import numpy as np
import pytest

from kws.models import blocks
from kws.training import dataset, session
from kws.training.dataset import Dataset
from kws.training.objective import LabelObjective, label_weights
from kws.training.params import TrainingParams

EPSILON, RATE = 1e-3, 0.5
PLAIN = TrainingParams(
    batch_size=12, optimizer="sgd", momentum=0.0, weight_decay=0.0, time_shift_frames=0
)


class OneWeight:
    """Of a model, what an optimizer asks for."""

    def __init__(self, name: str):
        import tensorflow as tf

        self.trainable_variables = [tf.Variable([2.0], name=name)]


def steps(params: TrainingParams, name: str, rate: float) -> list[float]:
    """Three steps down x^2 / 2 from 2."""
    model = OneWeight(name)
    [variable] = model.trainable_variables
    optimizer = session.optimizer(model, params)
    optimizer.learning_rate.assign(rate)
    found = []
    for _ in range(3):
        optimizer.apply_gradients([(variable.value(), variable)])
        found.append(float(variable.numpy()[0]))
    return found


@pytest.mark.parametrize(("name", "decays"), [("kernel", True), ("beta", False)])
def test_sgd_has_nesterovs_momentum_and_decoupled_decay_of_kernels_alone(name, decays):
    params = TrainingParams(optimizer="sgd", momentum=0.9, weight_decay=0.1)
    x, speed, expected = 2.0, 0.0, []
    for _ in range(3):
        gradient = x
        x -= 0.05 * 0.1 * x * decays
        speed = 0.9 * speed - 0.05 * gradient
        x += 0.9 * speed - 0.05 * gradient
        expected.append(x)
    np.testing.assert_allclose(steps(params, name, 0.05), expected, rtol=1e-5)


def test_adamws_first_step_is_the_learning_rate_and_the_decay():
    params = TrainingParams(weight_decay=0.1)
    assert steps(params, "kernel", 0.05)[0] == pytest.approx(2 * (1 - 0.05 * 0.1) - 0.05, rel=1e-5)


@pytest.fixture(scope="module")
def clips() -> Dataset:
    """One batch."""
    rng = np.random.default_rng(0)
    features = 2 + 5 * rng.standard_normal((12, 4, 3))
    label_index = np.array([0, 1, 1, 2, 0, 1, 2, 1, 1, 1, 0, 2])
    ids = [f"{number:02d}" for number in range(12)]
    return dataset.from_arrays(features.astype(np.float32), label_index, ids, ("a", "b", "c"))


def network(dropout: float = 0.0):
    """Batch normalization of the inputs, then one layer of weights."""
    import tensorflow as tf

    inputs = tf.keras.layers.Input((4, 3), name="features")
    x = tf.keras.layers.BatchNormalization(epsilon=EPSILON, center=False, scale=False)(inputs)
    x = blocks.dropout(x, dropout) if dropout else x
    start = tf.keras.initializers.RandomNormal(seed=1)
    softmax = tf.keras.layers.Dense(3, "softmax", use_bias=False, kernel_initializer=start)
    return tf.keras.Model(inputs, softmax(tf.keras.layers.Flatten()(x)))


def train(clips: Dataset, model, steps=(0,)) -> None:
    """These steps on the one batch."""
    step = session.TrainStep(model, clips, PLAIN, LabelObjective(clips, PLAIN))
    for number in steps:
        step(clips.features, clips.label_index, number, RATE)


def test_the_gradient_is_the_weighted_mean_over_the_examples_of_the_batch(clips):
    model = network()
    weights = model.layers[-1].get_weights()[0]
    importance = label_weights(clips, PLAIN)[clips.label_index]
    normal = (clips.features - clips.features.mean((0, 1))) / np.sqrt(
        clips.features.var((0, 1)) + EPSILON
    )
    rows = normal.reshape(12, -1)
    predicted = np.exp(rows @ weights)
    predicted /= predicted.sum(axis=1, keepdims=True)
    error = predicted - np.eye(3)[clips.label_index]
    gradient = rows.T @ (error * importance[:, None]) / 12
    train(clips, model)
    found = model.layers[-1].get_weights()[0]
    np.testing.assert_allclose(found, weights - RATE * gradient, rtol=1e-4, atol=1e-6)


def test_dropout_is_decided_by_seed_and_step_alone(clips):
    unbroken, resumed, other = (network(dropout=0.5) for _ in range(3))
    train(clips, unbroken, (0, 1, 2))
    train(clips, resumed, (0, 1))
    train(clips, resumed, (2,))
    train(clips, other, (0, 1, 3))
    for one, same in zip(resumed.get_weights(), unbroken.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(other.get_weights()[-1], unbroken.get_weights()[-1])
