"""tiny_conv: the one-convolution network of TensorFlow's micro_speech example.

`create_tiny_conv_model` in tensorflow/examples/speech_commands/models.py: "a convolutional model
aimed at microcontrollers", the model of the micro_speech example and of Warden and Situnayake,
"TinyML", 2019, chapters 7 and 8.

    [frames, channels] -> convolution 10x8, stride 2x2, 8 filters, ReLU -> dropout
                       -> fully connected -> softmax

The sources give no counts. With 49 x 40 features and 10 labels: 40,658 parameters and 0.36 million
multiply-adds. Most of the parameters are the last layer's, which is cheap to run: a model for the
slowest devices and few keywords.
"""

from typing import TYPE_CHECKING

from kws.models import blocks
from kws.models.blocks import FramesByChannels, Rate, Width
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False


class Options(Params):
    """Size and regularization of tiny_conv."""

    filters: Width = 8
    kernel: FramesByChannels = (10, 8)
    stride: FramesByChannels = (2, 2)
    dropout: Rate = 0.5


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`."""
    import tensorflow as tf

    layers = tf.keras.layers
    inputs = layers.Input(feature_shape, name="features")
    x = layers.Conv2D(
        options.filters,
        options.kernel,
        strides=options.stride,
        padding="same",
        activation="relu",
        name="conv",
    )(blocks.image(inputs))
    x = blocks.dropout(x, options.dropout)
    x = layers.Flatten(name="flat")(x)
    outputs = blocks.posteriors(x, num_labels)
    return tf.keras.Model(inputs, outputs, name="tiny_conv")
