"""TC-ResNet: residual blocks that convolve over time alone, channels of the features as depth.

Choi et al., "Temporal Convolution for Real-time Keyword Spotting on Mobile Devices", Interspeech
2019 (arXiv:1904.03814), section 2.3, figure 2 and table 1.

    [frames, channels] -> convolution 3, 16 filters
      -> a block for each of 24, 32, 48 filters (depth 8), or two blocks for each (depth 14):
           convolution 9, stride 2 if the width changes -> convolution 9 -> + shortcut -> ReLU
           (shortcut: identity, or convolution 1 with stride 2 where the width changes)
      -> average over time -> softmax

Every convolution is followed by batch normalization, and by ReLU but for a block's second. The
paper gives, at 98 x 40 MFCC and 12 labels (FLOPs are twice the multiply-adds; parameters include
the moving averages of the normalizations):

    depth  width  parameters  FLOPs
        8    1.0         66K   3.0M
        8    1.5        145K   6.6M
       14    1.0        137K   6.1M
       14    1.5        305K  13.4M

which is what this has (65,824 parameters for the first). With 49 x 40 features and 10 labels the
defaults have 65,728 parameters and 0.79 million multiply-adds.
"""

from typing import TYPE_CHECKING, Literal

import pydantic

from kws.models import blocks
from kws.models.blocks import Rate
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False
VARIANTS = {"8": {}, "14": {"depth": 14}}
_FIRST_FILTERS, _BLOCK_FILTERS = 16, (24, 32, 48)


class Options(Params):
    """Size and regularization of a TC-ResNet."""

    depth: Literal[8, 14] = 8
    width: float = pydantic.Field(1.0, gt=0, le=8, description="multiplies all filters")
    kernel_frames: int = pydantic.Field(9, ge=1, le=63, description="of the blocks' convolutions")
    dropout: Rate = 0.5
    batch_norm_momentum: Rate = 0.95


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`."""
    import tensorflow as tf

    layers = tf.keras.layers

    def convolution(x: tf.Tensor, filters: int, kernel: int, stride: int, name: str) -> tf.Tensor:
        convolve = layers.Conv2D(
            filters, (kernel, 1), strides=(stride, 1), padding="same", use_bias=False, name=name
        )
        return blocks.normalize(convolve(x), name, options.batch_norm_momentum)

    def relu(x: tf.Tensor, name: str) -> tf.Tensor:
        return layers.ReLU(name=f"{name}_relu")(x)

    def scaled(filters: int) -> int:
        return max(1, int(filters * options.width))

    inputs = layers.Input(feature_shape, name="features")
    x = blocks.sequence(inputs)
    x = relu(convolution(x, scaled(_FIRST_FILTERS), 3, 1, "conv"), "conv")
    repeats = 1 if options.depth == 8 else 2
    widths = [scaled(filters) for filters in _BLOCK_FILTERS for _ in range(repeats)]
    for block, filters in enumerate(widths, start=1):
        name = f"block_{block}"
        # The first of a width halves the time axis, whatever the width multiplier makes of it.
        stride = 2 if block % repeats == 1 % repeats else 1
        shortcut = x
        if stride == 2:
            shortcut = convolution(x, filters, 1, 2, f"{name}_shortcut")
            shortcut = relu(shortcut, f"{name}_shortcut")
        y = convolution(x, filters, options.kernel_frames, stride, f"{name}_1")
        y = convolution(relu(y, f"{name}_1"), filters, options.kernel_frames, 1, f"{name}_2")
        x = relu(layers.Add(name=f"{name}_add")([y, shortcut]), name)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = blocks.dropout(x, options.dropout)
    outputs = blocks.posteriors(x, num_labels, use_bias=False)
    return tf.keras.Model(inputs, outputs, name="tc_resnet")
