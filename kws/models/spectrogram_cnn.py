"""spectrogram_cnn: the spectrogram as a small picture, and a network for small pictures.

The network of the simple-audio tutorials (www.tensorflow.org/tutorials/audio/simple_audio and the
like), here with batch normalization and wider fully connected layers.

    [frames, channels] -> resized to 32 x 32
      -> convolution 3x3, 32 filters, batch normalization, ReLU
      -> convolution 3x3, 64 filters, batch normalization, ReLU
      -> largest of 2x2 -> dropout -> 12,544 values
      -> fully connected 1,024, ReLU -> dropout -> fully connected 128, ReLU -> softmax

With 35 labels 13,000,803 trainable parameters, whatever the features' shape (Keras' own count adds
the 192 moving averages of the normalizations: 13,000,995), 99 % of them in the first fully
connected layer, and 27.7 million multiply-adds: a model for a phone, here to compare others with.
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
    """Size and regularization of spectrogram_cnn."""

    side: int = pydantic.Field(32, ge=7, le=256, description="of the resized spectrogram, pixels")
    first_filters: Width = 32
    second_filters: Width = 64
    first_units: Width = 1024
    second_units: Width = 128
    conv_dropout: Rate = 0.25
    dropout: Rate = 0.5
    batch_norm_momentum: Rate = 0.95


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`."""
    import tensorflow as tf

    layers, momentum = tf.keras.layers, options.batch_norm_momentum
    inputs = layers.Input(feature_shape, name="features")
    x = layers.Resizing(options.side, options.side, name="resized")(blocks.image(inputs))
    x = layers.Conv2D(options.first_filters, 3, name="conv_1")(x)
    x = blocks.normalized_relu(x, "conv_1", momentum)
    x = layers.Conv2D(options.second_filters, 3, name="conv_2")(x)
    x = blocks.normalized_relu(x, "conv_2", momentum)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = blocks.dropout(x, options.conv_dropout, "conv_dropout")
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(options.first_units, activation="relu", name="hidden_1")(x)
    x = blocks.dropout(x, options.dropout)
    x = layers.Dense(options.second_units, activation="relu", name="hidden_2")(x)
    outputs = blocks.posteriors(x, num_labels)
    return tf.keras.Model(inputs, outputs, name="spectrogram_cnn")
