"""trigger_gru: whether the trigger word has just been said, at every step of a long clip.

The network of the trigger-word assignment in Ng, "Sequence Models" (Coursera deeplearning.ai,
2018), one-directional so that it can run on a stream.

    [frames, channels]
      -> convolution 15, stride 4, 196 filters, batch normalization, ReLU, dropout 0.8
      -> GRU 128, dropout 0.8, batch normalization
      -> GRU 128, dropout 0.8, batch normalization, dropout 0.8
      -> at every step: fully connected 1, sigmoid

With the 5,511 x 101 spectrogram of 10 s at 44.1 kHz: 1,375 steps, 523,329 parameters, of which 904
are moving averages, and 715 million multiply-adds (0.52 million a step in the one-step form). It
is trained by binary cross entropy against labels of every step; see `OUTPUT`.

The training form's GRUs are loops, so only the one-step form is for a device. It takes 4 frames. A
stream begins with 11 frames of zeros where a clip begins with its own first 11 frames, which is all
that can tell the two forms apart.
"""

from typing import TYPE_CHECKING

import pydantic

from kws.models import blocks
from kws.models.blocks import Rate, Width
from kws.models.causal import Past
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = True
OUTPUT = "steps"
"""Gives `[batch, steps, 1]`, the sigmoid of one trigger word, not posteriors of labels."""


class Options(Params):
    """Size and regularization of a trigger_gru."""

    filters: Width = 196
    kernel: int = pydantic.Field(15, ge=1, le=256, description="frames")
    stride: int = pydantic.Field(4, ge=1, le=64, description="frames a step")
    gru_units: tuple[Width, Width] = (128, 128)
    dropout: Rate = 0.8
    batch_norm_momentum: Rate = 0.99

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Options":
        if self.kernel < self.stride:
            raise ValueError(
                f"kernel={self.kernel} is shorter than stride={self.stride}: a frame would be "
                "skipped"
            )
        return self


def frames_per_step(options: Options) -> int:
    """Frames that the one-step form takes at once."""
    return options.stride


def receptive_field_frames(options: Options, feature_shape: tuple[int, int]) -> int:
    """A recurrent network remembers without a bound; of a clip it hears all."""
    return feature_shape[0]


def steps(options: Options, frames: int) -> int:
    """Outputs of a clip of so many frames."""
    return (frames - options.kernel) // options.stride + 1


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """The training form, to `[batch, steps, 1]`; `num_labels` does not matter.

    See `kws.models.registry.build` otherwise.

    Raises:
      KwsError: the clip is shorter than the kernel.
    """
    return _network(options, feature_shape, Past(remembers=False, zeros=False))


def build_step(
    options: Options, feature_shape: tuple[int, int], num_labels: int
) -> "tf.keras.Model":
    """The one-step form, to `[1, 1, 1]`; see `kws.models.registry.build_step`."""
    return _network(options, feature_shape, Past(remembers=True, zeros=False))


def _network(options: Options, feature_shape: tuple[int, int], past: Past) -> "tf.keras.Model":
    import tensorflow as tf

    from kws.models.keras_layers import UnrolledGru

    blocks.require_size("trigger_gru", feature_shape, (options.kernel, 1))
    layers, momentum = tf.keras.layers, options.batch_norm_momentum

    def gru(x: tf.Tensor, units: int, name: str) -> tf.Tensor:
        if past.remembers:
            return UnrolledGru(units, remembers=True, return_sequences=True, name=name)(x)
        return layers.GRU(units, return_sequences=True, name=name)(x)

    inputs = past.inputs(feature_shape, options.stride)
    x = past.before(blocks.sequence(inputs), options.kernel - options.stride, "conv")
    x = layers.Conv2D(
        options.filters, (options.kernel, 1), strides=(options.stride, 1), name="conv"
    )(x)
    x = blocks.normalized_relu(x, "conv", momentum)
    x = layers.Reshape((x.shape[1], options.filters), name="steps")(x)
    x = blocks.dropout(x, options.dropout, "conv_dropout")
    for number, units in enumerate(options.gru_units, start=1):
        x = gru(x, units, f"gru_{number}")
        x = blocks.dropout(x, options.dropout, f"gru_{number}_dropout")
        x = blocks.normalize(x, f"gru_{number}", momentum)
    x = blocks.dropout(x, options.dropout, "dropout")
    outputs = layers.Dense(1, activation="sigmoid", name="trigger")(x)
    return tf.keras.Model(inputs, outputs, name="trigger_gru")
