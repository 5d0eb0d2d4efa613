"""DS-CNN: a depthwise-separable convolutional network.

Zhang, Suda, Lai, Chandra, "Hello Edge: Keyword Spotting on Microcontrollers", 2017
(arXiv:1711.07128), section 4.6 and figure 3; the defaults are its smallest variant, DS-CNN-S.

    [frames, channels]
      -> convolution 10x4, stride 2x2, 64 filters
      -> 4 x (depthwise 3x3 -> pointwise 1x1, 64 filters)
      -> average over time and frequency -> softmax

Every convolution is followed by batch normalization (folded into it at conversion) and ReLU. The
paper counts memory as weights and biases of 8 bits plus the largest two consecutive activations,
and operations as two a multiply-add plus one a bias; at 49 x 10 MFCC and 12 labels, as here:

    variant  filters  blocks  memory    operations  accuracy (Speech Commands v1)
    S             64       4   38.6 KB       5.4 M  94.4 %
    M            172       4  189.2 KB      19.8 M  94.9 %
    L            276       5  497.6 KB      56.9 M  95.4 %

M and L have a stride of 2x1 in the first convolution and of 2x2 in the first block. With 49 x 40
features and 10 labels the defaults have 24,202 parameters and 10.6 million multiply-adds.
"""

from typing import TYPE_CHECKING

import pydantic

from kws.models import blocks
from kws.models.blocks import FramesByChannels, Rate, Width
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False
VARIANTS = {
    "S": {},
    "M": {"filters": 172, "first_stride": (2, 1), "block_stride": 2},
    "L": {"filters": 276, "blocks": 5, "first_stride": (2, 1), "block_stride": 2},
}


class Options(Params):
    """Size and regularization of a DS-CNN."""

    filters: Width = pydantic.Field(64, description="of every convolution")
    blocks: int = pydantic.Field(4, ge=0, le=16, description="depthwise-separable blocks")
    first_kernel: FramesByChannels = (10, 4)
    first_stride: FramesByChannels = (2, 2)
    block_stride: int = pydantic.Field(1, ge=1, le=4, description="of the first block, both axes")
    dropout: Rate = pydantic.Field(0.2, description="before the last layer")
    batch_norm_momentum: Rate = 0.95


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`."""
    import tensorflow as tf

    layers, momentum = tf.keras.layers, options.batch_norm_momentum
    inputs = layers.Input(feature_shape, name="features")
    x = layers.Conv2D(
        options.filters,
        options.first_kernel,
        strides=options.first_stride,
        padding="same",
        use_bias=False,
        name="conv",
    )(blocks.image(inputs))
    x = blocks.normalized_relu(x, "conv", momentum)
    for block in range(1, options.blocks + 1):
        stride = options.block_stride if block == 1 else 1
        depthwise = layers.DepthwiseConv2D(
            (3, 3),
            strides=(stride, stride),
            padding="same",
            use_bias=False,
            name=f"depthwise_{block}",
        )
        x = blocks.normalized_relu(depthwise(x), f"depthwise_{block}", momentum)
        pointwise = layers.Conv2D(
            options.filters, (1, 1), use_bias=False, name=f"pointwise_{block}"
        )
        x = blocks.normalized_relu(pointwise(x), f"pointwise_{block}", momentum)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = blocks.dropout(x, options.dropout)
    outputs = blocks.posteriors(x, num_labels)
    return tf.keras.Model(inputs, outputs, name="ds_cnn")
