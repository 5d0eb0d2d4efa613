"""The optimizers are those of their papers."""

import numpy as np
import pytest

from kws.training import loop
from kws.training.params import TrainingParams


class OneWeight:
    """Of a model, what an optimizer asks for."""

    def __init__(self, name: str):
        import tensorflow as tf

        self.trainable_variables = [tf.Variable([2.0], name=name)]


def steps(params: TrainingParams, name: str, rate: float) -> list[float]:
    """Three steps down x^2 / 2 from 2."""
    model = OneWeight(name)
    [variable] = model.trainable_variables
    optimizer = loop.optimizer(model, params)
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
