"""Augmentation of spectrograms, in the graph and repeatable: a function of the seed alone.

Time and channel masks are those of Park et al., "SpecAugment: A Simple Data Augmentation Method for
Automatic Speech Recognition", 2019 (arXiv:1904.08779), section 2, without time warping: one mask of
each kind, its width drawn uniformly from 0 to the given maximum. Masked values become the clip's
own mean, which says least. The time shift moves the clip by whole frames and repeats the edge frame
where nothing is left, as a steady background would.

Every function takes float32 `[batch, frames, channels]` and a seed of two int32, draws anew for
each clip of the batch, and returns the same shape.
"""

from typing import TYPE_CHECKING

from kws.training.params import TrainingParams

if TYPE_CHECKING:
    import tensorflow as tf


def augment(batch: "tf.Tensor", params: TrainingParams, seed: "tf.Tensor") -> "tf.Tensor":
    """Time shift, then the two masks, each where `params` asks for it."""
    import tensorflow as tf

    seeds = tf.unstack(tf.random.split(seed, 3))
    if params.time_shift_frames:
        batch = time_shift(batch, params.time_shift_frames, seeds[0])
    if params.time_mask_frames:
        batch = mask(batch, params.time_mask_frames, seeds[1], axis=1)
    if params.channel_mask:
        batch = mask(batch, params.channel_mask, seeds[2], axis=2)
    return batch


def time_shift(batch: "tf.Tensor", max_frames: int, seed: "tf.Tensor") -> "tf.Tensor":
    """Moves each clip by -max_frames to +max_frames frames (positive: later)."""
    import tensorflow as tf

    clips, frames = tf.shape(batch)[0], tf.shape(batch)[1]
    shift = tf.random.stateless_uniform(
        [clips, 1], seed, minval=-max_frames, maxval=max_frames + 1, dtype=tf.int32
    )
    source = tf.clip_by_value(tf.range(frames)[None, :] - shift, 0, frames - 1)
    return tf.gather(batch, source, axis=1, batch_dims=1)


def mask(batch: "tf.Tensor", max_width: int, seed: "tf.Tensor", *, axis: int) -> "tf.Tensor":
    """Hides up to `max_width` neighbouring frames (axis 1) or channels (axis 2) of each clip."""
    import tensorflow as tf

    clips, length = tf.shape(batch)[0], tf.shape(batch)[axis]
    uniform = tf.random.stateless_uniform([2, clips, 1], seed)
    width = tf.cast(uniform[0] * float(max_width + 1), tf.int32)
    width = tf.minimum(width, length)
    start = tf.cast(uniform[1] * tf.cast(length - width + 1, tf.float32), tf.int32)
    position = tf.range(length)[None, :]
    hidden = (position >= start) & (position < start + width)
    hidden = tf.expand_dims(hidden, 2 if axis == 1 else 1)
    mean = tf.reduce_mean(batch, axis=(1, 2), keepdims=True)
    return tf.where(hidden, mean, batch)
