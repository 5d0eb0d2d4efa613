"""tiny_conv: the one-convolution network of TensorFlow's micro_speech example.

`create_tiny_conv_model` in tensorflow/examples/speech_commands/models.py: "a convolutional model
aimed at microcontrollers", the model of the micro_speech example and of Warden and Situnayake,
"TinyML", 2019, chapters 7 and 8.

    [frames, channels] -> convolution 10x8, stride 2x2, 8 filters, ReLU -> dropout
                       -> fully connected -> softmax

With 49 x 40 features and 10 labels: 40,658 parameters and 0.36 million multiply-adds. Most of the
parameters are the last layer's, which is cheap to run: a model for the slowest devices and few
keywords.
"""

from typing import TYPE_CHECKING

import pydantic

from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False


class Options(Params):
    """Size and regularization of tiny_conv."""

    filters: int = pydantic.Field(8, ge=1, le=256)
    kernel: tuple[int, int] = pydantic.Field((10, 8), description="frames, channels")
    stride: tuple[int, int] = pydantic.Field((2, 2), description="frames, channels")
    dropout: float = pydantic.Field(0.5, ge=0, lt=1)

    @pydantic.field_validator("kernel", "stride")
    @classmethod
    def _positive(cls, value: tuple[int, int]) -> tuple[int, int]:
        if min(value) < 1:
            raise ValueError("frames and channels must both be at least 1")
        return value


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`."""
    import tensorflow as tf

    layers = tf.keras.layers
    inputs = layers.Input(feature_shape, name="features")
    x = layers.Reshape((*feature_shape, 1), name="image")(inputs)
    x = layers.Conv2D(
        options.filters,
        options.kernel,
        strides=options.stride,
        padding="same",
        activation="relu",
        name="conv",
    )(x)
    if options.dropout:
        # "stateful" keeps its own generator, which the training loop sets from (seed, step).
        x = layers.Dropout(options.dropout, rng_type="stateful", name="dropout")(x)
    x = layers.Flatten(name="flat")(x)
    outputs = layers.Dense(num_labels, activation="softmax", name="posteriors")(x)
    return tf.keras.Model(inputs, outputs, name="tiny_conv")
