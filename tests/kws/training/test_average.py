"""What the moving average of weights is."""

import numpy as np
import pytest

from kws.models import registry
from kws.models.params import ModelParams
from kws.training.checkpoint import WeightAverage

MODEL = ModelParams(name="ds_cnn", options={"filters": 1, "blocks": 0, "first_kernel": (1, 1)})
VALUES = [3.0, 5.0, 10.0, 2.0]


def averaged(decay: float):
    """A model whose every weight was each of the values in turn, and the average after them."""
    import tensorflow as tf

    model = registry.build(MODEL, (2, 2), 3)
    average = WeightAverage(model, decay)
    for step, value in enumerate(VALUES):
        model.set_weights([np.full_like(weight, value) for weight in model.get_weights()])
        average.update(tf.constant(step, tf.int64))
    return model, average


@pytest.mark.parametrize(
    ("decay", "expected"),
    [(0.99, 20 / 4), (0.5, 2 / 2 + 10 / 4 + (3 + 5) / 2 / 4)],
    ids=["the plain mean at first", "then each step halves what was before"],
)
def test_the_average_is(decay, expected):
    model, average = averaged(decay)
    assert len(average.variables) == len(model.get_weights()) > 0
    for variable in average.variables:
        np.testing.assert_allclose(variable, expected, rtol=1e-6)


def test_swapping_twice_changes_nothing():
    model, average = averaged(0.5)
    average.swap()
    assert len(average.variables) == len(model.get_weights()) > 0
    assert all((weight == 4.5).all() for weight in model.get_weights())
    average.swap()
    assert all((weight == VALUES[-1]).all() for weight in model.get_weights())
    assert all((variable.numpy() == 4.5).all() for variable in average.variables)
