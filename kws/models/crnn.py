"""CRNN: a convolution, then gated recurrent units over its outputs, then the clip's last state.

Zhang, Suda, Lai, Chandra, "Hello Edge: Keyword Spotting on Microcontrollers", 2017
(arXiv:1711.07128), section 4.4 and the tables of sections 5.2 and A; the defaults are its smallest
variant, CRNN-S. After Arik et al., "Convolutional Recurrent Neural Networks for Small-Footprint
Keyword Spotting", Interspeech 2017, but one-directional.

    [frames, channels] -> convolution 10x4, stride 2x2, 48 filters, ReLU
      -> GRU 60 -> GRU 60, its last state -> fully connected 84, ReLU -> softmax

The paper counts memory as weights and biases of 8 bits plus the largest two consecutive
activations, and operations as two a multiply-add plus one a bias; at 49 x 10 MFCC and 12 labels:

    variant  memory   operations
    S        79.7 KB  3.0 M       here 75,432 weights and biases + 4,330 activations, 3.0 M
    M       199.8 KB  7.6 M       here 189,032 + 10,730, 7.6 M
    L       499.5 KB  19.3 M      here 485,004 + 14,490, 19.3 M

With 49 x 40 features and 10 labels S has 204,862 parameters and 4.7 million multiply-adds (the
first GRU's inputs grow with the channels; `first_stride` (2, 8) makes it 83,902 and 1.7 million).
Its steps are written out in the int8 file, which costs 0.1 MB of operators beside the weights.
"""

from typing import TYPE_CHECKING

from kws.models import blocks
from kws.models.blocks import FramesByChannels, Rate, Width
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False
VARIANTS = {
    "S": {},
    "M": {"filters": 128, "gru_units": 76, "hidden_units": 164},
    "L": {"filters": 100, "first_stride": (2, 1), "gru_units": 136, "hidden_units": 188},
}


class Options(Params):
    """Size and regularization of a CRNN."""

    filters: Width = 48
    first_kernel: FramesByChannels = (10, 4)
    first_stride: FramesByChannels = (2, 2)
    gru_units: Width = 60
    hidden_units: Width = 84
    dropout: Rate = 0.2


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`.

    Raises:
      KwsError: the features are smaller than the kernel.
    """
    import tensorflow as tf

    from kws.models.keras_layers import UnrolledGru

    blocks.require_size("crnn", feature_shape, options.first_kernel)
    layers = tf.keras.layers

    inputs = layers.Input(feature_shape, name="features")
    x = layers.Conv2D(
        options.filters,
        options.first_kernel,
        strides=options.first_stride,
        activation="relu",
        name="conv",
    )(blocks.image(inputs))
    steps, bands, filters = x.shape[1:]
    x = layers.Reshape((steps, bands * filters), name="steps")(x)
    # reset_after=True would be cuDNN's variant, with more biases than the paper counts.
    x = UnrolledGru(options.gru_units, reset_after=False, return_sequences=True, name="gru_1")(x)
    x = UnrolledGru(options.gru_units, reset_after=False, name="gru_2")(x)
    x = blocks.dropout(x, options.dropout)
    x = layers.Dense(options.hidden_units, activation="relu", name="hidden")(x)
    outputs = blocks.posteriors(x, num_labels)
    return tf.keras.Model(inputs, outputs, name="crnn")
