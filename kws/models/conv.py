"""conv: two convolutions and a low-rank layer, cnn-trad-fpool3.

Sainath, Parada, "Convolutional Neural Networks for Small-footprint Keyword Spotting",
Interspeech 2015, section 3.1 and table 1; `conv` in TensorFlow's speech_commands example, which
pads its convolutions and pools otherwise.

    [frames, channels]
      -> convolution 20x8, 64 filters, ReLU -> largest of 3 channels
      -> convolution 10x4, 64 filters, ReLU
      -> linear 32 -> fully connected 128, ReLU -> softmax

Table 1 has 244.2 thousand parameters and 9.7 million multiplications at 32 x 40 features and 4
labels, biases not counted; so has this. With 49 x 40 features and 10 labels: 523,818 parameters and
38.0 million multiply-adds.
"""

from typing import TYPE_CHECKING

from kws.models import blocks
from kws.models.blocks import FramesByChannels, Rate, Width
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False


class Options(Params):
    """Size and regularization of conv; kernels and pooling are frames, channels."""

    filters: Width = 64
    first_kernel: FramesByChannels = (20, 8)
    pool: FramesByChannels = (1, 3)
    second_kernel: FramesByChannels = (10, 4)
    linear_units: Width = 32
    hidden_units: Width = 128
    dropout: Rate = 0.5


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`.

    Raises:
      KwsError: the features are smaller than the kernels.
    """
    import tensorflow as tf

    smallest = [
        first - 1 + pool * second
        for first, pool, second in zip(
            options.first_kernel, options.pool, options.second_kernel, strict=True
        )
    ]
    blocks.require_size("conv", feature_shape, (smallest[0], smallest[1]))
    layers = tf.keras.layers
    inputs = layers.Input(feature_shape, name="features")
    x = blocks.image(inputs)
    x = layers.Conv2D(options.filters, options.first_kernel, activation="relu", name="conv_1")(x)
    x = blocks.dropout(x, options.dropout, "dropout_1")
    x = layers.MaxPooling2D(options.pool, name="pool")(x)
    x = layers.Conv2D(options.filters, options.second_kernel, activation="relu", name="conv_2")(x)
    x = blocks.dropout(x, options.dropout, "dropout_2")
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(options.linear_units, name="linear")(x)
    x = layers.Dense(options.hidden_units, activation="relu", name="hidden")(x)
    outputs = blocks.posteriors(x, num_labels)
    return tf.keras.Model(inputs, outputs, name="conv")
