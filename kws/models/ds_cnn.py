"""DS-CNN: a depthwise-separable convolutional network.

Zhang, Suda, Lai, Chandra, "Hello Edge: Keyword Spotting on Microcontrollers", 2017
(arXiv:1711.07128), section 4.6 and figure 3; the defaults are its smallest variant, DS-CNN-S.

    [frames, channels]
      -> convolution 10x4, stride 2x2, 64 filters
      -> 4 x (depthwise 3x3 -> pointwise 1x1, 64 filters)
      -> average over time and frequency -> softmax

Every convolution is followed by batch normalization (folded into it at conversion) and ReLU. With
49 x 40 features and 10 labels the defaults have 24,202 parameters and 10.6 million multiply-adds;
the paper's DS-CNN-S reaches 94.4 % on Speech Commands v1 with 10 MFCC instead of 40 channels.
"""

from typing import TYPE_CHECKING

import pydantic

from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False


class Options(Params):
    """Size and regularization of a DS-CNN."""

    filters: int = pydantic.Field(64, ge=1, le=1024, description="of every convolution")
    blocks: int = pydantic.Field(4, ge=0, le=16, description="depthwise-separable blocks")
    first_kernel: tuple[int, int] = pydantic.Field((10, 4), description="frames, channels")
    first_stride: tuple[int, int] = pydantic.Field((2, 2), description="frames, channels")
    dropout: float = pydantic.Field(0.2, ge=0, lt=1, description="before the last layer")
    batch_norm_momentum: float = pydantic.Field(0.95, ge=0, lt=1)

    @pydantic.field_validator("first_kernel", "first_stride")
    @classmethod
    def _positive(cls, value: tuple[int, int]) -> tuple[int, int]:
        if min(value) < 1:
            raise ValueError("frames and channels must both be at least 1")
        return value


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`."""
    import tensorflow as tf

    layers = tf.keras.layers

    def normalized_relu(x: tf.Tensor, name: str) -> tf.Tensor:
        x = layers.BatchNormalization(momentum=options.batch_norm_momentum, name=f"{name}_bn")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    inputs = layers.Input(feature_shape, name="features")
    x = layers.Reshape((*feature_shape, 1), name="image")(inputs)
    x = layers.Conv2D(
        options.filters,
        options.first_kernel,
        strides=options.first_stride,
        padding="same",
        use_bias=False,
        name="conv",
    )(x)
    x = normalized_relu(x, "conv")
    for block in range(1, options.blocks + 1):
        depthwise = layers.DepthwiseConv2D(
            (3, 3), padding="same", use_bias=False, name=f"depthwise_{block}"
        )
        x = normalized_relu(depthwise(x), f"depthwise_{block}")
        pointwise = layers.Conv2D(
            options.filters, (1, 1), use_bias=False, name=f"pointwise_{block}"
        )
        x = normalized_relu(pointwise(x), f"pointwise_{block}")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    if options.dropout:
        # "stateful" keeps its own generator, which the training loop sets from (seed, step).
        x = layers.Dropout(options.dropout, rng_type="stateful", name="dropout")(x)
    outputs = layers.Dense(num_labels, activation="softmax", name="posteriors")(x)
    return tf.keras.Model(inputs, outputs, name="ds_cnn")
