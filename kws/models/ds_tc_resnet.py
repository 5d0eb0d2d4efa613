"""ds_tc_resnet: a causal MatchboxNet for streams.

`ds_tc_resnet` of kws_streaming (github.com/google-research/google-research), the library of Rybakov
et al., "Streaming keyword spotting on mobile devices", Interspeech 2020 (arXiv:2005.06720), after
MatchboxNet (see `matchbox_net`) and TC-ResNet (see `tc_resnet`).

    stream of frames x channels
      -> blocks of 128, 64, 64, 64, 128, 128 filters, kernels 11, 13, 15, 17, 29 (dilated by 2), 1:
           depthwise convolution -> convolution 1, batch normalization
           [+ convolution 1 of the block's input, batch normalization: blocks 2, 3, 4] -> ReLU
         after block 2 an average of 2 frames: from there a step is 2 frames
      -> average over the steps of a clip -> softmax

Every convolution is preceded by zeros in a clip and by the former frames in a stream. The library
averages nothing (`pools` of 1) in the recipe whose size it gives: 75 thousand parameters at 40
features and 35 labels (experiments/kws_experiments_75k_35_labels.md); here 74,651 trainable ones,
whatever the pools. It gives no multiply-adds.

With 49 x 40 features and 10 labels: 72,962 parameters; 2.2 million multiply-adds a clip in the
training form, 93,488 a step in the one-step form.
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


class Options(Params):
    """Size and regularization of a ds_tc_resnet: one entry a block in each of the tuples."""

    filters: tuple[Width, ...] = (128, 64, 64, 64, 128, 128)
    kernels: tuple[Width, ...] = (11, 13, 15, 17, 29, 1)
    dilations: tuple[Width, ...] = (1, 1, 1, 1, 2, 1)
    residual: tuple[bool, ...] = (False, True, True, True, False, False)
    pools: tuple[Width, ...] = pydantic.Field(
        (1, 2, 1, 1, 1, 1), description="frames averaged after the block"
    )
    dropout: Rate = 0.1
    batch_norm_momentum: Rate = 0.95

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Options":
        lengths = {
            name: len(getattr(self, name))
            for name in ("filters", "kernels", "dilations", "residual", "pools")
        }
        if len(set(lengths.values())) > 1:
            raise ValueError(f"{lengths}: there must be one of each for every block")
        return self


def frames_per_step(options: Options) -> int:
    """Frames that the one-step form takes at once."""
    step = 1
    for pool in options.pools:
        step *= pool
    return step


def receptive_field_frames(options: Options, feature_shape: tuple[int, int]) -> int:
    """Frames that a posterior of a stream depends on."""
    frames, step = 1, 1
    for kernel, dilation, pool in zip(
        options.kernels, options.dilations, options.pools, strict=True
    ):
        frames += step * ((kernel - 1) * dilation + pool - 1)
        step *= pool
    return frames + step * (_steps(options, feature_shape) - 1)


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """The training form; see `kws.models.registry.build`.

    Raises:
      KwsError: the clip is shorter than one step.
    """
    past = Past(remembers=False, zeros=True)
    return _network(options, feature_shape, num_labels, past)


def build_step(
    options: Options, feature_shape: tuple[int, int], num_labels: int
) -> "tf.keras.Model":
    """The one-step form; see `kws.models.registry.build_step`."""
    past = Past(remembers=True, zeros=True)
    return _network(options, feature_shape, num_labels, past)


def _network(
    options: Options, feature_shape: tuple[int, int], num_labels: int, past: Past
) -> "tf.keras.Model":
    import tensorflow as tf

    layers, momentum = tf.keras.layers, options.batch_norm_momentum

    def pointwise(x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
        x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(x)
        return blocks.normalize(x, name, momentum)

    steps, step = _steps(options, feature_shape), frames_per_step(options)
    inputs = past.inputs(feature_shape, step)
    x = past.whole_strides(blocks.sequence(inputs), step, step, "clip")
    for block, (filters, kernel, dilation, residual, pool) in enumerate(
        zip(
            options.filters,
            options.kernels,
            options.dilations,
            options.residual,
            options.pools,
            strict=True,
        ),
        start=1,
    ):
        name = f"block_{block}"
        shortcut = x
        x = past.before(x, (kernel - 1) * dilation, name)
        x = layers.DepthwiseConv2D(
            (kernel, 1), dilation_rate=(dilation, 1), use_bias=False, name=f"{name}_depthwise"
        )(x)
        x = pointwise(x, filters, name)
        if residual:
            shortcut = pointwise(shortcut, filters, f"{name}_shortcut")
            x = layers.Add(name=f"{name}_add")([x, shortcut])
        x = layers.ReLU(name=f"{name}_relu")(x)
        x = blocks.dropout(x, options.dropout, f"{name}_dropout")
        if pool > 1:
            x = layers.AveragePooling2D((pool, 1), name=f"{name}_pool")(x)
    x = past.whole(x, steps, "head")
    x = layers.AveragePooling2D((steps, 1), name="average")(x)
    x = layers.Flatten(name="flat")(x)
    outputs = blocks.posteriors(x, num_labels)
    return tf.keras.Model(inputs, outputs, name="ds_tc_resnet")


def _steps(options: Options, feature_shape: tuple[int, int]) -> int:
    """Steps of a clip."""
    step = frames_per_step(options)
    blocks.require_size("ds_tc_resnet", feature_shape, (step, 1))
    return feature_shape[0] // step
