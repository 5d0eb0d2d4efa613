"""Clips of other sound spliced of two: as one begins, as another goes on.

A user has an hour of other speech and not a thousand, and a small network finds in whatever it has
not heard some sequence of sounds that it takes for the keyword. Spliced clips hold sequences that
nobody said. Only clips labelled `_unknown_` are spliced, so a spliced clip contains neither the
keyword nor a stretch that is labelled as silence.

Cutting and joining examples as an augmentation: Yun et al., "CutMix: Regularization Strategy to
Train Strong Classifiers with Localizable Features", ICCV 2019 (arXiv:1905.04899).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

EARLIEST, LATEST = 0.2, 0.9
"""Where a clip may be cut, in parts of it."""
UNCUT = 2.0


def draw_cuts(may: "tf.Tensor", share: float, seed: "tf.Tensor") -> "tf.Tensor":
    """Where each clip of a batch is cut.

    Args:
      may: bool `[batch]`, which clips may be cut; the clip before one must be of them as well.
      share: of those, that are.
      seed: two int32.

    Returns:
      float32 `[batch]`, in parts of the clip; 2 where it stays whole.
    """
    import tensorflow as tf

    drawn = tf.random.stateless_uniform([2, tf.shape(may)[0]], seed)
    chosen = may & tf.roll(may, 1, 0) & (drawn[0] < share)
    return tf.where(chosen, EARLIEST + (LATEST - EARLIEST) * drawn[1], UNCUT)


def spliced(values: "tf.Tensor", places: "tf.Tensor", cuts: "tf.Tensor") -> "tf.Tensor":
    """Values up to the cut are a clip's own, and then those of the clip before it in the batch.

    Args:
      values: `[batch, times, ...]`.
      places: float32 `[times]`, when each time is, in parts of the clip.
      cuts: of `draw_cuts`.
    """
    import tensorflow as tf

    own = places[None, :] < cuts[:, None]
    for _ in range(len(values.shape) - 2):
        own = own[..., None]
    return tf.where(own, values, tf.roll(values, 1, 0))
