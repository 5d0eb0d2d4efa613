"""Building blocks and option types shared by the architectures of the zoo.

Every function takes and returns Keras tensors; `name` becomes the prefix of the layers.
"""

from typing import TYPE_CHECKING, Annotated

import pydantic

from kws.errors import KwsError

if TYPE_CHECKING:
    import tensorflow as tf


def image(features: "tf.Tensor") -> "tf.Tensor":
    """`[batch, frames, channels]` as an image of one colour, `[batch, frames, channels, 1]`."""
    import tensorflow as tf

    return tf.keras.layers.Reshape((*features.shape[1:], 1), name="image")(features)


def sequence(features: "tf.Tensor") -> "tf.Tensor":
    """`[batch, frames, channels]` as `[batch, frames, 1, channels]`: convolutions over time alone.

    TFLite has no one-dimensional convolutions; in this shape none needs converting.
    """
    import tensorflow as tf

    frames, channels = features.shape[1:]
    return tf.keras.layers.Reshape((frames, 1, channels), name="sequence")(features)


def normalize(x: "tf.Tensor", name: str, momentum: float) -> "tf.Tensor":
    """Batch normalization, folded into the convolution before it at conversion."""
    import tensorflow as tf

    return tf.keras.layers.BatchNormalization(momentum=momentum, name=f"{name}_bn")(x)


def normalized_relu(x: "tf.Tensor", name: str, momentum: float) -> "tf.Tensor":
    """Batch normalization and ReLU."""
    import tensorflow as tf

    return tf.keras.layers.ReLU(name=f"{name}_relu")(normalize(x, name, momentum))


def dropout(x: "tf.Tensor", rate: float, name: str = "dropout") -> "tf.Tensor":
    """Dropout, or nothing at a rate of 0."""
    import tensorflow as tf

    if not rate:
        return x
    # "stateful" keeps its own generator, which the training loop sets from (seed, step).
    return tf.keras.layers.Dropout(rate, rng_type="stateful", name=name)(x)


def filter_dropout(x: "tf.Tensor", rate: float, name: str) -> "tf.Tensor":
    """Dropout of whole filters of `[batch, steps, width, filters]`, or nothing at a rate of 0."""
    import tensorflow as tf

    if not rate:
        return x
    shape = (None, 1, 1, x.shape[-1])
    return tf.keras.layers.Dropout(rate, noise_shape=shape, rng_type="stateful", name=name)(x)


def posteriors(x: "tf.Tensor", num_labels: int, use_bias: bool = True) -> "tf.Tensor":
    """The last layer: fully connected, softmax."""
    import tensorflow as tf

    return tf.keras.layers.Dense(
        num_labels, activation="softmax", use_bias=use_bias, name="posteriors"
    )(x)


def require_size(model: str, feature_shape: tuple[int, int], smallest: tuple[int, int]) -> None:
    """Refuses a clip that unpadded convolutions would use up.

    Raises:
      KwsError: `feature_shape` is smaller than `smallest`, both `[frames, channels]`.
    """
    if feature_shape[0] < smallest[0] or feature_shape[1] < smallest[1]:
        raise KwsError(
            f"{model} needs features of at least {smallest[0]} frames x {smallest[1]} channels, "
            f"these are {feature_shape[0]} x {feature_shape[1]}",
            hint="a longer clip, a shorter window_stride_ms, or smaller kernels in model.options",
        )


def _both_positive(value: tuple[int, int]) -> tuple[int, int]:
    if min(value) < 1:
        raise ValueError("frames and channels must both be at least 1")
    return value


FramesByChannels = Annotated[tuple[int, int], pydantic.AfterValidator(_both_positive)]
"""A kernel, stride or pooling size: frames, channels."""

Rate = Annotated[float, pydantic.Field(ge=0, lt=1)]
"""A share of what is dropped, or kept of a moving average."""

Width = Annotated[int, pydantic.Field(ge=1, le=4096)]
"""Filters of a convolution or units of a layer."""
