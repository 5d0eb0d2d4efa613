"""mixup: a clip becomes a weighted mean of two, and so does its label.

Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018
(arXiv:1710.09412), section 2: with l drawn from Beta(alpha, alpha), here for each clip,

    x = l x_i + (1 - l) x_j        y = l y_i + (1 - l) y_j

The partners j are a permutation of the batch.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf


def mixup(
    inputs: "tf.Tensor", targets: "tf.Tensor", alpha: float, seed: "tf.Tensor"
) -> "tuple[tf.Tensor, tf.Tensor]":
    """Mixes a batch with itself; in graph, a function of the seed alone.

    Args:
      inputs: float32 `[batch, frames, channels]`.
      targets: float32 `[batch, labels]`.
      alpha: above 0; small leaves most clips nearly as they are, 1 is uniform.
      seed: two integers.
    """
    import tensorflow as tf

    clips = tf.shape(inputs)[0]
    order_seed, *gamma_seeds = tf.unstack(tf.random.split(seed, 3))
    partner = tf.argsort(tf.random.stateless_uniform([clips], order_seed))
    # Two gamma variates give a beta variate; in float64 a small alpha leaves no zeros to divide by.
    one, other = (
        tf.random.stateless_gamma(
            [clips], gamma_seed, tf.constant(alpha, tf.float64), dtype=tf.float64
        )
        for gamma_seed in gamma_seeds
    )
    share = tf.cast(one / tf.maximum(one + other, 1e-300), tf.float32)
    clip_share, label_share = share[:, None, None], share[:, None]
    return (
        clip_share * inputs + (1 - clip_share) * tf.gather(inputs, partner),
        label_share * targets + (1 - label_share) * tf.gather(targets, partner),
    )
