"""mixed_net: a stream of mixed depthwise convolutions over time, as in microWakeWord.

Ahrendt, microWakeWord (github.com/kahrendt/microWakeWord, `mixednet.py`), after Tan, Le, "MixConv:
Mixed Depthwise Convolutional Kernels", BMVC 2019 (arXiv:1907.09595), section 3. The defaults are
the sizes that its training notebook recommends.

    stream of frames x channels
      -> convolution 5, stride 3, 32 filters, ReLU: from here a step is 3 frames
      -> blocks with kernels 5 | 7, 11 | 9, 15 | 23:
           filters in as many groups as kernels -> a depthwise convolution each
           -> convolution 1, 64 filters, batch normalization [+ shortcut], ReLU
      -> the steps of a clip, side by side (or averaged) -> softmax

microWakeWord ends in one sigmoid for its one word; here there is a softmax over all labels, or with
`ending` "sigmoid" one that tells the keywords from anything else (for one keyword: its sigmoid) and
a sigmoid that tells silence from other sound. Of a model with one such keyword a bundle holds a
file for microWakeWord's programs too. It pads
nothing (`padding` "none"), so that a clip must have 155 frames; zeros before the clip let it be
shorter. A clip may be longer than the context of one posterior (`build_spotter`): the network then
answers at every step of it, and the posteriors of the clip are those of its strongest step. Its
author publishes no counts. With 49 x 40 features and 10 labels: 35,210 parameters;
0.39 million multiply-adds a clip in the training form, 33,952 a step in the one-step form.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pydantic

from kws import storage
from kws.errors import KwsError
from kws.labels import RESERVED
from kws.models import blocks
from kws.models.blocks import Rate, Width
from kws.models.causal import Past
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = True
WORD = "word"
"""Name of the layer that gives the keyword's posterior alone, where `ending` is "sigmoid"."""
LOGITS = "logits"
"""Name of the layer before the sigmoid or softmax: `[batch, steps, outputs]` of a spotter."""
SILENCE_LOGITS = "silence_logits"
"""Name of that before the sigmoid of silence."""

PRETRAINED = Path(__file__).parent / "data" / "mixed_net.npz"
"""Weights of the layers before the head, made by `python -m benchmarks.pretraining`."""

SPECTRAL_KERNEL, SPECTRAL_STEPS = 4, 3
"""Channels that the first spectral convolution spans, and steps that each further one does."""

Kernels = tuple[tuple[int, ...], ...]


class Options(Params):
    """Size and regularization of a mixed_net; kernels are in frames, later ones in steps."""

    first_filters: Width = 32
    spectral_filters: tuple[Width, ...] = pydantic.Field(
        (),
        description="of convolutions over time and channels that come first and lead to "
        "first_filters; none: one convolution of all channels, as in microWakeWord",
    )
    first_kernel: int = pydantic.Field(5, ge=1, le=64)
    stride: int = pydantic.Field(3, ge=1, le=16, description="frames a step")
    kernels: Kernels = ((5,), (7, 11), (9, 15), (23,))
    filters: tuple[Width, ...] = (64, 64, 64, 64)
    residual: tuple[bool, ...] = (False, False, False, False)
    head: Literal["flat", "average"] = "flat"
    ending: Literal["softmax", "sigmoid"] = pydantic.Field(
        "softmax",
        description="sigmoid: silence is told apart where no keyword is said; what spotters are "
        "trained with, and ESPHome's micro_wake_word needs for its one keyword",
    )
    padding: Literal["zeros", "none"] = pydantic.Field("zeros", description="before a clip")
    dropout: Rate = 0.2
    filter_dropout: Rate = pydantic.Field(
        0.0, description="filters of each block that are dropped as a whole in training"
    )
    batch_norm_momentum: Rate = 0.95
    pretrained: bool = pydantic.Field(
        False,
        description="the layers before the head start as they learnt to predict the speech "
        "embedding (kws/training/pretraining.py); for the sizes of preset keyword",
    )

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Options":
        if not len(self.kernels) == len(self.filters) == len(self.residual):
            raise ValueError(
                f"{len(self.kernels)} kernels, {len(self.filters)} filters and "
                f"{len(self.residual)} residual: there must be one of each for every block"
            )
        if self.first_kernel < self.stride:
            raise ValueError(
                f"first_kernel={self.first_kernel} is shorter than stride={self.stride}: a frame "
                "would be skipped"
            )
        if any(not group or min(group) < 1 for group in self.kernels):
            raise ValueError("every block needs at least one kernel of at least 1")
        return self


def frames_per_step(options: Options) -> int:
    """Frames that the one-step form takes at once."""
    return options.stride


def receptive_field_frames(options: Options, feature_shape: tuple[int, int]) -> int:
    """Frames that a posterior of a stream depends on."""
    steps = _steps(options, feature_shape) - 1 + _used_up(options)
    return options.first_kernel + options.stride * steps


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """The training form; see `kws.models.registry.build`.

    Raises:
      KwsError: without padding, the clip is shorter than the kernels together; or the pretrained
        weights are of other sizes.
    """
    past = Past(remembers=False, zeros=options.padding == "zeros")
    model = _network(options, feature_shape, num_labels, past)
    if options.pretrained:
        start_from(model, PRETRAINED)
    return model


def build_spotter(
    options: Options, feature_shape: tuple[int, int], num_labels: int, context_frames: int
) -> "tf.keras.Model":
    """The training form for clips longer than the context.

    Raises:
      KwsError: the context is shorter than the kernels together, or padded; or the pretrained
        weights are of other sizes.
    """
    if options.padding != "none":
        raise KwsError(
            "mixed_net with padding=zeros hears whole clips: a context needs unpadded ones",
            hint="model.options.padding=none, or leave features.context_ms out",
        )
    past = Past(remembers=False, zeros=False)
    context = (context_frames, feature_shape[1])
    model = _network(options, context, num_labels, past, clip_frames=feature_shape[0])
    if options.pretrained:
        start_from(model, PRETRAINED)
    return model


def build_step(
    options: Options, feature_shape: tuple[int, int], num_labels: int
) -> "tf.keras.Model":
    """The one-step form; see `kws.models.registry.build_step`."""
    past = Past(remembers=True, zeros=options.padding == "zeros")
    return _network(options, feature_shape, num_labels, past)


def start_from(model: "tf.keras.Model", weights: Path) -> None:
    """Gives the layers before the head the weights in a file, in place.

    A kernel over time that is shorter than in the file gets its last steps.

    Args:
      model: of any form.
      weights: as `keep` wrote them.

    Raises:
      KwsError: they are of other sizes.
    """
    import tensorflow as tf

    layers = _before_head(model)
    with np.load(weights) as kept:
        for name, layer in layers.items():
            found = [kept[key] for key in sorted(kept.files) if key.split("/")[0] == name]
            wanted = [tuple(weight.shape) for weight in layer.weights]
            if isinstance(layer, tf.keras.layers.DepthwiseConv2D) and len(found) == len(wanted):
                found[0] = found[0][-min(len(found[0]), wanted[0][0]) :]
            if [values.shape for values in found] != wanted:
                raise KwsError(
                    f"model.options.pretrained: the weights in {weights.name} are of other sizes "
                    f"than layer {name}",
                    hint="leave the options (but shorter kernels) and the frontend of preset "
                    "keyword as they are, or set pretrained to false",
                )
            layer.set_weights([values.astype(np.float32) for values in found])


def keep(model: "tf.keras.Model", weights: Path) -> None:
    """Writes what `start_from` reads: the layers before the head, in half precision."""
    arrays = {
        f"{name}/{number}": values.astype(np.float16)
        for name, layer in _before_head(model).items()
        for number, values in enumerate(layer.get_weights())
    }
    with storage.atomic_file(weights) as path, path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _before_head(model: "tf.keras.Model") -> "dict[str, tf.keras.layers.Layer]":
    """All layers with weights, by name, except the heads."""
    return {
        layer.name: layer
        for layer in model.layers
        if layer.weights and not layer.name.endswith("_head")
    }


def _network(
    options: Options,
    context_shape: tuple[int, int],
    num_labels: int,
    past: Past,
    clip_frames: int | None = None,
) -> "tf.keras.Model":
    """Any form; `clip_frames` only of clips that are longer than the context."""
    import tensorflow as tf

    layers = tf.keras.layers
    steps = _steps(options, context_shape)
    inputs = past.inputs((clip_frames or context_shape[0], context_shape[1]), options.stride)
    if options.spectral_filters:
        x = _spectral(blocks.image(inputs), options, past)
    else:
        x = blocks.sequence(inputs)
        x = past.whole_strides(x, options.first_kernel, options.stride, "conv")
        x = past.before(x, options.first_kernel - options.stride, "conv")
        x = layers.Conv2D(
            options.first_filters,
            (options.first_kernel, 1),
            strides=(options.stride, 1),
            activation="relu",
            use_bias=False,
            name="conv",
        )(x)
    for block, (kernels, filters, residual) in enumerate(
        zip(options.kernels, options.filters, options.residual, strict=True), start=1
    ):
        name = f"block_{block}"
        shortcut = x
        x = _mixed(x, kernels, past, name)
        x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(x)
        x = blocks.normalize(x, name, options.batch_norm_momentum)
        if residual:
            shortcut = past.drop(shortcut, max(kernels) - 1, f"{name}_shortcut")
            shortcut = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_shortcut")(shortcut)
            shortcut = blocks.normalize(shortcut, f"{name}_shortcut", options.batch_norm_momentum)
            x = layers.Add(name=f"{name}_add")([x, shortcut])
        x = layers.ReLU(name=f"{name}_relu")(x)
        x = blocks.filter_dropout(x, options.filter_dropout, f"{name}_dropout")
    x = past.whole(x, steps, "head")
    if options.head == "average":
        x = layers.AveragePooling2D((steps, 1), strides=1, name="average")(x)
        steps = 1
    x = blocks.dropout(x, options.dropout)
    each_step = clip_frames is not None
    outputs = _ending(x, options, steps, num_labels, each_step)
    if each_step:
        from kws.models.keras_layers import StrongestStep

        outputs = StrongestStep(name="strongest_step")(outputs)
    return tf.keras.Model(inputs, outputs, name="mixed_net")


def _spectral(x: "tf.Tensor", options: Options, past: Past) -> "tf.Tensor":
    """`[batch, frames, channels, 1]` to `[batch, steps, 1, first_filters]`.

    Each further layer halves the channels that are left; its kernel is such that nothing is padded.
    """
    import tensorflow as tf

    layers = tf.keras.layers
    first, *others = options.spectral_filters
    x = past.whole_strides(x, options.first_kernel, options.stride, "conv")
    x = past.before(x, options.first_kernel - options.stride, "conv")
    x = layers.Conv2D(
        first,
        (options.first_kernel, SPECTRAL_KERNEL),
        strides=(options.stride, 2),
        use_bias=False,
        name="conv",
    )(x)
    x = blocks.normalized_relu(x, "conv", options.batch_norm_momentum)
    for number, filters in enumerate(others, start=1):
        name = f"spectral_{number}"
        channels = x.shape[2]
        x = past.before(x, SPECTRAL_STEPS - 1, name)
        width = 3 + channels % 2  # leaves an even number
        x = layers.DepthwiseConv2D((SPECTRAL_STEPS, width), use_bias=False, name=name)(x)
        x = layers.AveragePooling2D((1, 2), name=f"{name}_pool")(x)
        x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(x)
        x = blocks.normalized_relu(x, name, options.batch_norm_momentum)
        x = blocks.filter_dropout(x, options.filter_dropout, f"{name}_dropout")
    kernel = (1, x.shape[2])
    x = layers.Conv2D(options.first_filters, kernel, use_bias=False, name="all_channels")(x)
    x = blocks.normalized_relu(x, "all_channels", options.batch_norm_momentum)
    return blocks.filter_dropout(x, options.filter_dropout, "all_channels_dropout")


def _ending(
    x: "tf.Tensor", options: Options, steps: int, num_labels: int, each_step: bool
) -> "tf.Tensor":
    """Posteriors `[batch, labels]`, or `[batch, steps of the clip, labels]`."""
    import tensorflow as tf

    def logits(units: int, name: str) -> tf.Tensor:
        """A fully connected layer over the last `steps` steps."""
        values = tf.keras.layers.Conv2D(units, (steps, 1), name=f"{name}_head")(x)
        shape = (-1, units) if each_step else (units,)
        return tf.keras.layers.Reshape(shape, name=name)(values)

    if options.ending == "softmax":
        return tf.keras.layers.Softmax(name="posteriors")(logits(num_labels, LOGITS))

    said = logits(logits_of(num_labels), LOGITS)
    return posteriors_of(said, logits(1, SILENCE_LOGITS))


def logits_of(num_labels: int) -> int:
    """Outputs of the layer `LOGITS` of ending sigmoid: one keyword's, or anything else and each."""
    keywords = num_labels - len(RESERVED)
    return keywords if keywords == 1 else 1 + keywords


def posteriors_of(said: "tf.Tensor", silence: "tf.Tensor") -> "tf.Tensor":
    """Posteriors `[..., labels]` of the logits of both, see `KeywordsAndSilence`."""
    import tensorflow as tf

    from kws.models.keras_layers import KeywordsAndSilence

    layers = tf.keras.layers
    if said.shape[-1] == 1:
        said = layers.Activation("sigmoid", name=WORD)(said)
    else:
        said = layers.Softmax(name="keywords")(said)
    silence = layers.Activation("sigmoid", name="silence")(silence)
    return KeywordsAndSilence(name="posteriors")([said, silence])


def _mixed(x: "tf.Tensor", kernels: tuple[int, ...], past: Past, name: str) -> "tf.Tensor":
    """MixConv: each group of filters gets its own kernel.

    All groups share one memory, as long as the longest kernel needs it. With a memory each, the
    int8 converter gives their values different scales, computes the convolution before them once
    for each, and clips what else uses it.
    """
    import tensorflow as tf

    longest = max(kernels)
    x = past.before(x, longest - 1, name)
    share, rest = divmod(x.shape[-1], len(kernels))
    groups, start = [], 0
    for group, kernel in enumerate(kernels, start=1):
        stop = start + share + (rest if group == 1 else 0)
        part = x[:, longest - kernel :, :, start:stop] if len(kernels) > 1 else x
        convolve = tf.keras.layers.DepthwiseConv2D((kernel, 1), name=f"{name}_{group}")
        groups.append(convolve(part))
        start = stop
    return groups[0] if len(groups) == 1 else tf.keras.layers.Concatenate(name=name)(groups)


def _used_up(options: Options) -> int:
    """Steps that the kernels after the first use up of an unpadded clip."""
    spectral = max(0, len(options.spectral_filters) - 1) * (SPECTRAL_STEPS - 1)
    return spectral + sum(max(group) - 1 for group in options.kernels)


def _steps(options: Options, feature_shape: tuple[int, int]) -> int:
    """Steps of a clip that reach the head."""
    if options.padding == "zeros":
        blocks.require_size("mixed_net", feature_shape, (options.stride, 1))
        return feature_shape[0] // options.stride
    shortest = options.first_kernel + options.stride * _used_up(options)
    blocks.require_size("mixed_net with padding=none", feature_shape, (shortest, 1))
    return (feature_shape[0] - shortest) // options.stride + 1
