"""MatchboxNet: residual blocks of time-channel separable convolutions over time.

Majumdar, Ginsburg, "MatchboxNet: 1D Time-Channel Separable Convolutional Neural Network
Architecture for Speech Commands Recognition", Interspeech 2020 (arXiv:2004.08531), section 2,
figure 1 and table 1. MatchboxNet-BxRxC has B blocks of R sub-blocks with C filters.

    [frames, channels]
      -> separable convolution 11, 128 filters
      -> B blocks, kernels 13, 15, 17, ...: R x separable convolution, C filters;
           + (convolution 1 of the block's input) before the last ReLU
      -> separable convolution 29, dilation 2, 128 filters -> convolution 1, 128 filters
      -> average over time -> softmax

A separable convolution is a depthwise one and one of kernel 1; it is followed by batch
normalization, ReLU and dropout. (The paper applies the last layer at every frame and averages
after it, which is the same function.) The kernels and strides are those of NVIDIA's own
configuration (NeMo, examples/asr/conf/matchboxnet): no layer skips frames. Other implementations
have a `first_stride` of 2, which halves the cost.

    model      parameters (30 labels)   multiply-adds (128 frames x 64 MFCC, 12 labels)
    3x1x64     77 thousand              9.3 million
    3x2x64     93 thousand              11.3 million

The parameters are of the paper's table 2; the multiply-adds are not in it, but in table 3 of the
BC-ResNet paper (see `bc_resnet`). Here 77,214 and 92,766 trainable parameters, 9.19 and 11.13
million multiply-adds of convolutions: what is missing to the table's is one for each normalized
value. With 49 x 40 features and 10 labels 3x1x64 has 71,298 trainable parameters and 3.4
million multiply-adds.
"""

from typing import TYPE_CHECKING

import pydantic

from kws.models import blocks
from kws.models.blocks import Rate, Width
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False
VARIANTS = {"3x1x64": {}, "3x2x64": {"sub_blocks": 2}}


class Options(Params):
    """Size and regularization of a MatchboxNet."""

    blocks: int = pydantic.Field(3, ge=0, le=16, description="B")
    sub_blocks: int = pydantic.Field(1, ge=1, le=8, description="R")
    filters: Width = pydantic.Field(64, description="C")
    outer_filters: Width = pydantic.Field(128, description="before and after the blocks")
    first_stride: int = pydantic.Field(1, ge=1, le=4, description="of the first convolution")
    dropout: Rate = 0.1
    batch_norm_momentum: Rate = 0.95


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`."""
    import tensorflow as tf

    layers = tf.keras.layers

    def pointwise(x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
        x = layers.Conv2D(filters, (1, 1), use_bias=False, name=f"{name}_pointwise")(x)
        return blocks.normalize(x, name, options.batch_norm_momentum)

    def separable(
        x: tf.Tensor, filters: int, kernel: int, name: str, *, stride: int = 1, dilation: int = 1
    ) -> tf.Tensor:
        x = layers.DepthwiseConv2D(
            (kernel, 1),
            strides=(stride, stride),
            dilation_rate=(dilation, 1),
            padding="same",
            use_bias=False,
            name=f"{name}_depthwise",
        )(x)
        return pointwise(x, filters, name)

    def activated(x: tf.Tensor, name: str) -> tf.Tensor:
        x = layers.ReLU(name=f"{name}_relu")(x)
        return blocks.dropout(x, options.dropout, f"{name}_dropout")

    inputs = layers.Input(feature_shape, name="features")
    x = blocks.sequence(inputs)
    x = separable(x, options.outer_filters, 11, "prologue", stride=options.first_stride)
    x = activated(x, "prologue")
    for block in range(options.blocks):
        kernel, name = 13 + 2 * block, f"block_{block + 1}"
        shortcut = pointwise(x, options.filters, f"{name}_shortcut")
        for sub_block in range(1, options.sub_blocks):
            sub_name = f"{name}_{sub_block}"
            x = activated(separable(x, options.filters, kernel, sub_name), sub_name)
        x = separable(x, options.filters, kernel, f"{name}_{options.sub_blocks}")
        x = activated(layers.Add(name=f"{name}_add")([x, shortcut]), name)
    x = separable(x, options.outer_filters, 29, "epilogue_1", dilation=2)
    x = activated(x, "epilogue_1")
    x = activated(pointwise(x, options.outer_filters, "epilogue_2"), "epilogue_2")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    outputs = blocks.posteriors(x, num_labels)
    return tf.keras.Model(inputs, outputs, name="matchbox_net")
