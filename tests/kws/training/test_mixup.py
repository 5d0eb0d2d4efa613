"""mixup mixes clips and labels alike."""

import numpy as np
import pytest

from kws.training.spec_augment import mixup

CLIPS = 512


@pytest.fixture(scope="module")
def mixed():
    """Clip i holds nothing but i, and is of label i."""
    import tensorflow as tf

    inputs = tf.range(CLIPS, dtype=tf.float32)[:, None, None] * tf.ones([1, 2, 3])
    outputs, targets = mixup(inputs, tf.eye(CLIPS), 0.4, tf.constant([3, 7]))
    return outputs.numpy(), targets.numpy()


def test_a_label_has_the_share_that_its_clip_has(mixed):
    outputs, targets = mixed
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    assert (np.count_nonzero(targets, axis=1) <= 2).all()
    np.testing.assert_allclose(outputs[:, 0, 0], targets @ np.arange(CLIPS), rtol=1e-4, atol=1e-3)


def test_every_clip_is_partner_once_and_shares_are_of_the_beta_distribution(mixed):
    _, targets = mixed
    np.testing.assert_allclose(targets.sum(axis=0).sum(), CLIPS, rtol=1e-5)
    share = np.diag(targets)
    # Beta(a, a) has mean 1/2 and variance 1 / (4 (2 a + 1)).
    assert share.mean() == pytest.approx(0.5, abs=0.06)
    assert share.var() == pytest.approx(1 / (4 * 1.8), abs=0.02)


def test_a_tiny_alpha_gives_numbers(mixed):
    import tensorflow as tf

    outputs, _ = mixup(tf.ones([64, 2, 2]), tf.eye(64), 0.001, tf.constant([0, 1]))
    np.testing.assert_allclose(outputs, 1, rtol=1e-5)
