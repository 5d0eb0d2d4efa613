"""BC-ResNet: residual blocks whose costly part runs over time alone and is broadcast over bands.

Kim, Chang, Lee, Sung, "Broadcasted Residual Learning for Efficient Keyword Spotting", Interspeech
2021 (arXiv:2106.04140), section 3, figure 2 and table 1; held against the authors' own code
(github.com/Qualcomm-AI-research/bcresnet). BC-ResNet-w has w times the filters of
BC-ResNet-1, whose stages have 8, 12, 16 and 20.

    [frames, channels] -> convolution 5x5, stride 2 over channels, 16 w filters
      -> stages of 2, 2, 4, 4 blocks; the 2nd and 3rd begin with a stride of 2 over bands
      -> depthwise convolution 5 x all bands -> convolution 1, 32 w filters
      -> average over time -> softmax

A block, f2 being two-dimensional, f1 over time alone, dilated by 1, 2, 4, 8 in the four stages:

    x -> [convolution 1, only where the width changes] -> depthwise over 3 bands, SSN = f2
    f2 -> average of all bands -> depthwise over 3 frames, swish -> convolution 1, dropout = f1
    ReLU(f2 + f1 broadcast over all bands [+ x, where the width does not change])

SSN is sub-spectral normalization with 5 parts; the other convolutions are followed by batch
normalization and ReLU where not said otherwise. Table 3 of the paper, at 40 log-mel channels and 12
labels, and what is here at 98 frames:

    width         1       1.5     2       3       6       8
    parameters    9.2k    17.2k   27.3k   54.2k   188k    321k    trainable ones: the same here
    #Mult         3.1M    5.5M    8.5M    16.2M   53.1M   89.1M
    convolutions  2.4M    4.5M    7.1M    14.1M   48.8M   83.4M   `cost.macs` here

The paper's count is met for every width when normalization (2 a value), ReLU and average pooling (1
a value) are counted too, as usual counters of PyTorch models do. With 49 x 40 features and 10
labels BC-ResNet-1 has 9,166 trainable parameters and 1.2 million multiply-adds.

The number of channels must be a multiple of 8 times `parts`.
"""

from typing import TYPE_CHECKING, Annotated

import pydantic

from kws.errors import KwsError
from kws.models import blocks
from kws.models.blocks import Rate
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False
VARIANTS = {"1": {}, "2": {"width": 2}, "3": {"width": 3}, "8": {"width": 8}}
_FIRST_FILTERS, _LAST_FILTERS = 16, 32
_STAGES = ((8, 1), (12, 2), (16, 2), (20, 1))
"""Filters at width 1, stride over bands."""

Depth = Annotated[int, pydantic.Field(ge=1, le=16)]


class Options(Params):
    """Size and regularization of a BC-ResNet."""

    width: float = pydantic.Field(1.0, gt=0, le=16, description="multiplies all filters")
    blocks: tuple[Depth, Depth, Depth, Depth] = pydantic.Field((2, 2, 4, 4), description="a stage")
    parts: int = pydantic.Field(5, ge=1, le=32, description="of sub-spectral normalization")
    dropout: Rate = pydantic.Field(0.1, description="of whole filters, in every block")
    batch_norm_momentum: Rate = 0.95


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`.

    Raises:
      KwsError: the channels cannot be halved three times and cut into `parts`.
    """
    import tensorflow as tf

    layers, momentum = tf.keras.layers, options.batch_norm_momentum
    channels = feature_shape[1]
    if channels % (8 * options.parts):
        raise KwsError(
            f"bc_resnet cannot cut {channels} channels into parts={options.parts} at an eighth of "
            "their number",
            hint="channels must be a multiple of 8 * parts: 40 with 5 parts, 32 with 4",
        )

    def scaled(filters: int) -> int:
        return max(1, int(filters * options.width))

    inputs = layers.Input(feature_shape, name="features")
    x = layers.Conv2D(
        scaled(_FIRST_FILTERS), 5, strides=(1, 2), padding="same", use_bias=False, name="conv"
    )(blocks.image(inputs))
    x = blocks.normalized_relu(x, "conv", momentum)
    for stage, (filters, stride) in enumerate(_STAGES):
        for block in range(options.blocks[stage]):
            x = _block(
                x,
                options,
                filters=scaled(filters),
                stride=stride if block == 0 else 1,
                dilation=2**stage,
                name=f"stage_{stage + 1}_{block + 1}",
            )
    # Over 5 frames, padded, and all that is left of the bands, not padded.
    bands = x.shape[2]
    x = layers.ZeroPadding2D(((2, 2), (0, 0)), name="last_pad")(x)
    x = layers.DepthwiseConv2D((5, bands), use_bias=False, name="last_depthwise")(x)
    x = layers.Conv2D(scaled(_LAST_FILTERS), 1, use_bias=False, name="last_pointwise")(x)
    x = blocks.normalized_relu(x, "last", momentum)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    outputs = blocks.posteriors(x, num_labels)
    return tf.keras.Model(inputs, outputs, name="bc_resnet")


def _block(
    x: "tf.Tensor", options: Options, *, filters: int, stride: int, dilation: int, name: str
) -> "tf.Tensor":
    import tensorflow as tf

    from kws.models.keras_layers import FrequencyDepthwise, SubSpectralNormalization

    layers, momentum = tf.keras.layers, options.batch_norm_momentum
    terms = [x] if x.shape[-1] == filters else []
    if not terms:
        x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_widen")(x)
        x = blocks.normalized_relu(x, f"{name}_widen", momentum)
    f2 = FrequencyDepthwise(3, stride, use_bias=False, name=f"{name}_bands")(x)
    f2 = SubSpectralNormalization(options.parts, momentum=momentum, name=f"{name}_bands_ssn")(f2)
    f1 = layers.AveragePooling2D((1, f2.shape[2]), name=f"{name}_average")(f2)
    f1 = layers.DepthwiseConv2D(
        (3, 1), dilation_rate=(dilation, 1), padding="same", use_bias=False, name=f"{name}_time"
    )(f1)
    f1 = blocks.normalize(f1, f"{name}_time", momentum)
    f1 = layers.Activation("swish", name=f"{name}_swish")(f1)
    f1 = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(f1)
    if options.dropout:
        # See `blocks.dropout`; a filter is dropped at all frames, or at none.
        f1 = layers.Dropout(
            options.dropout,
            noise_shape=(None, 1, 1, filters),
            rng_type="stateful",
            name=f"{name}_dropout",
        )(f1)
    total = layers.Add(name=f"{name}_broadcast")([f2, f1])
    if terms:
        total = layers.Add(name=f"{name}_shortcut")([total, *terms])
    return layers.ReLU(name=f"{name}_relu")(total)
