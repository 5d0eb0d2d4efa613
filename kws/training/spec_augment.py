"""Augmentation of batches of spectrograms in the TensorFlow graph, as a pure function of the seed.

Every function takes float32 `[batch, frames, channels]` and a seed of two int32, draws
independently for each clip, and returns the same shape.

**Masks**: Park et al., "SpecAugment: A Simple Data Augmentation Method for Automatic Speech
Recognition", 2019 (arXiv:1904.08779), section 2, without time warping: one time mask and one
channel mask, with widths uniform from 0 to the given maximum. Masked values become the clip's
mean. The time shift moves the clip by whole frames and repeats the edge frame, as a steady
background would.

**Channel warp**: as by a longer or shorter vocal tract: Jaitly and Hinton, "Vocal Tract Length
Perturbation (VTLP) improves speech recognition", ICML workshop 2013, here with one factor for the
whole band and a shift of up to one and a half channels.

**Splices**: a clip of other sound begins as one clip and continues as another. A user has an hour
of other speech, not a thousand, and a small network finds in whatever it has not heard some
sequence of sounds that it takes for the keyword. Spliced clips contain sequences that nobody
said. Only clips labelled `_unknown_` are spliced, so the result contains neither the keyword nor
labelled silence. Cutting and joining as an augmentation: Yun et al., "CutMix: Regularization
Strategy to Train Strong Classifiers with Localizable Features", ICCV 2019 (arXiv:1905.04899).

**mixup**: a clip becomes a weighted mean of two, and so does its label: Zhang, Cisse, Dauphin,
Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018 (arXiv:1710.09412), section 2.
With l drawn from Beta(alpha, alpha) for each clip, and a permutation of the batch as partners j,

    x = l x_i + (1 - l) x_j        y = l y_i + (1 - l) y_j
"""

from typing import TYPE_CHECKING

from kws.training.params import TrainingParams

if TYPE_CHECKING:
    import tensorflow as tf


def augment(batch: "tf.Tensor", params: TrainingParams, seed: "tf.Tensor") -> "tf.Tensor":
    """Warp, time shift, then the two masks, each where `params` asks for it."""
    import tensorflow as tf

    seeds = tf.unstack(tf.random.split(seed, 3))
    if params.channel_warp:
        batch = warp_channels(batch, params.channel_warp, tf.random.fold_in(seed, 3))
    if params.time_shift_frames:
        batch = time_shift(batch, params.time_shift_frames, seeds[0])
    if params.time_mask_frames:
        batch = mask(batch, params.time_mask_frames, seeds[1], axis=1)
    if params.channel_mask:
        batch = mask(batch, params.channel_mask, seeds[2], axis=2)
    return batch


WARP_SHIFT_CHANNELS = 1.5


def warp_channels(batch: "tf.Tensor", most: float, seed: "tf.Tensor") -> "tf.Tensor":
    """Channel c becomes what was at a * c + b, interpolated: log a within +-most, b within 1.5."""
    import tensorflow as tf

    clips, channels = tf.shape(batch)[0], tf.shape(batch)[2]
    drawn = tf.random.stateless_uniform([2, clips, 1], seed, -1.0, 1.0)
    place = tf.range(tf.cast(channels, tf.float32))[None, :] * tf.exp(most * drawn[0])
    place += WARP_SHIFT_CHANNELS * drawn[1]
    place = tf.clip_by_value(place, 0.0, tf.cast(channels - 1, tf.float32))
    below = tf.cast(place, tf.int32)
    above = tf.minimum(below + 1, channels - 1)
    rest = (place - tf.cast(below, tf.float32))[:, None, :]
    lower, upper = (tf.gather(batch, index, axis=2, batch_dims=1) for index in (below, above))
    return lower * (1 - rest) + upper * rest


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
