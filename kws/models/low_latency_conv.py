"""low_latency_conv: one convolution as long as the clip, cnn-one-fstride4.

Sainath, Parada, "Convolutional Neural Networks for Small-footprint Keyword Spotting",
Interspeech 2015, section 3.2 (limiting multiplications) and the table of one-convolution networks;
`low_latency_conv` in TensorFlow's speech_commands example.

    [frames, channels]
      -> convolution over all frames x 8 channels, stride 4 channels, 186 filters, ReLU
      -> linear 32 -> 2 x (fully connected 128, ReLU) -> softmax

The paper gives the convolution 47.6 thousand parameters and 428.5 thousand multiplications at 32 x
40 features, biases not counted; so has this. With 49 x 40 features and 10 labels: 148,724
parameters and 0.73 million multiply-adds.
"""

from typing import TYPE_CHECKING

import pydantic

from kws.models import blocks
from kws.models.blocks import Rate, Width
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False


class Options(Params):
    """Size and regularization of low_latency_conv."""

    filters: Width = 186
    kernel_channels: int = pydantic.Field(8, ge=1, le=256)
    stride_channels: int = pydantic.Field(4, ge=1, le=256)
    linear_units: Width = 32
    hidden_units: Width = 128
    dropout: Rate = 0.5


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`.

    Raises:
      KwsError: there are fewer channels than the kernel covers.
    """
    import tensorflow as tf

    blocks.require_size("low_latency_conv", feature_shape, (1, options.kernel_channels))
    layers = tf.keras.layers
    inputs = layers.Input(feature_shape, name="features")
    x = blocks.image(inputs)
    x = layers.Conv2D(
        options.filters,
        (feature_shape[0], options.kernel_channels),
        strides=(1, options.stride_channels),
        activation="relu",
        name="conv",
    )(x)
    x = blocks.dropout(x, options.dropout)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(options.linear_units, name="linear")(x)
    x = layers.Dense(options.hidden_units, activation="relu", name="hidden_1")(x)
    x = layers.Dense(options.hidden_units, activation="relu", name="hidden_2")(x)
    outputs = blocks.posteriors(x, num_labels)
    return tf.keras.Model(inputs, outputs, name="low_latency_conv")
