"""speech_embedding: Google's pretrained speech embedding, and a head over time that is trained.

Lin, Kilgour, Roblek, Sharifi, "Training Keyword Spotters with Limited and Synthesized Speech Data",
ICASSP 2020 (arXiv:2002.01322). The network is `kws.speech.network`, with its pretrained weights,
rounded to int8, which training leaves as they are; the head is `kws.speech.head`. Its features are
those of the frontend `speech_mel` (`kws.features.speech_mel.PARAMS`).

    stream of frames x 32 mel channels, 10 ms apart
      -> 20 convolutions and 5 poolings: an embedding of the last 76 frames, every 8 frames
      -> 3 convolutions over time, the steps of a clip side by side, fully connected -> softmax

With 197 x 32 features (2 s) and 3 labels: 392,995 parameters, of which 64,195 are trained; 126.7
million multiply-adds a clip, 5.68 million a step of 80 ms in the one-step form.

With `ending` "sigmoid" the posteriors are those of the mean of several heads that differ in their
first weights. Its spotter (`build_spotter`, clips longer than the context of
one posterior) is trained on embeddings that are computed once, without the network: see
`kws.training.head_training`.
"""

from typing import TYPE_CHECKING, Literal

import pydantic

from kws.errors import KwsError
from kws.models import blocks
from kws.models.blocks import Rate
from kws.models.causal import Past
from kws.models.mixed_net import LOGITS, SILENCE_LOGITS, logits_of, posteriors_of
from kws.speech.head import HeadParams, head_layers, hidden_layers, normalized_embeddings
from kws.speech.network import (
    EMBEDDING_FRAMES,
    EMBEDDING_HOP_FRAMES,
    MEL_CHANNELS,
    embedding_layers,
    load_embedding_weights,
    window_count,
)

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = True
LEARNS_FROM = "speech_embedding"
"""The frontend of what its spotter is trained on: the pretrained network's outputs."""
EMBEDDINGS = "embeddings"
"""Name of the layer that puts them out, `[batch, n, 1, 96]`."""


class Options(HeadParams):
    """Size and regularization of the head; the embedding has none."""

    heads: int = pydantic.Field(
        1, ge=1, le=8, description="of ending sigmoid: their logits are averaged"
    )
    channel_dropout: Rate = pydantic.Field(
        0.0, description="channels of the embedding that are dropped as a whole, for each head"
    )
    ending: Literal["softmax", "sigmoid"] = pydantic.Field(
        "softmax", description="sigmoid: for spotters (kws/models/mixed_net.py)"
    )

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Options":
        if self.heads > 1 and self.ending == "softmax":
            raise ValueError(f"heads={self.heads} are averaged by ending=sigmoid alone")
        return self


def frames_per_step(options: Options) -> int:
    """Frames that the one-step form takes at once."""
    return EMBEDDING_HOP_FRAMES


def receptive_field_frames(options: Options, feature_shape: tuple[int, int]) -> int:
    """Frames that a posterior of a stream depends on."""
    steps = window_count(feature_shape[0])
    return EMBEDDING_FRAMES + EMBEDDING_HOP_FRAMES * (steps - 1)


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """The training form; see `kws.models.registry.build`.

    Raises:
      KwsError: features of another frontend, or a clip too short for the head.
    """
    return _network(options, feature_shape, num_labels, Past(remembers=False, zeros=False))


def build_spotter(
    options: Options, feature_shape: tuple[int, int], num_labels: int, context_frames: int
) -> "tf.keras.Model":
    """The training form for clips longer than the context; see `kws.models.registry.build`.

    Raises:
      KwsError: as of `build`, or the ending is not a sigmoid.
    """
    if options.ending != "sigmoid":
        raise KwsError(
            f"speech_embedding with ending={options.ending} answers once a clip: a context is for "
            "ending=sigmoid",
            hint="model.options.ending=sigmoid, or leave features.context_ms out",
        )
    past = Past(remembers=False, zeros=False)
    context = (context_frames, feature_shape[1])
    return _network(options, context, num_labels, past, clip_frames=feature_shape[0])


def build_step(
    options: Options, feature_shape: tuple[int, int], num_labels: int
) -> "tf.keras.Model":
    """The one-step form; see `kws.models.registry.build_step`."""
    return _network(options, feature_shape, num_labels, Past(remembers=True, zeros=False))


def _network(
    options: Options,
    context_shape: tuple[int, int],
    num_labels: int,
    past: Past,
    clip_frames: int | None = None,
) -> "tf.keras.Model":
    """Any form; `clip_frames` only of clips that are longer than the context."""
    import tensorflow as tf

    if context_shape[1] != MEL_CHANNELS:
        raise KwsError(
            f"speech_embedding hears {MEL_CHANNELS} mel channels, these are {context_shape[1]}",
            hint="features.frontend=speech_mel, with the parameters that it asks for",
        )
    blocks.require_size("speech_embedding", context_shape, (EMBEDDING_FRAMES, MEL_CHANNELS))
    inputs = past.inputs((clip_frames or context_shape[0], MEL_CHANNELS), EMBEDDING_HOP_FRAMES)
    x = blocks.image(inputs)
    x = past.whole_strides(x, EMBEDDING_FRAMES, EMBEDDING_HOP_FRAMES, "features")
    x = embedding_layers(x, past)
    x = tf.keras.layers.Activation("linear", name=EMBEDDINGS)(x)
    steps = window_count(context_shape[0])
    if options.ending == "softmax":
        outputs = head_layers(x, options, steps, num_labels, past)
    else:
        outputs = _spotter_ending(x, options, steps, num_labels, past, clip_frames is not None)
    model = tf.keras.Model(inputs, outputs, name="speech_embedding")
    load_embedding_weights(model, int8=True)
    return model


def _spotter_ending(
    x: "tf.Tensor", options: Options, steps: int, num_labels: int, past: Past, each_step: bool
) -> "tf.Tensor":
    """Posteriors of the mean of all heads: of a clip that is longer, its strongest step's."""
    import tensorflow as tf

    from kws.models.keras_layers import AveragedHeads, StrongestStep

    layers, heads = tf.keras.layers, options.heads
    x = normalized_embeddings(x, options, past)
    hidden = [
        hidden_layers(x, options, steps, past, f"head{number}", options.channel_dropout)
        for number in range(1, heads + 1)
    ]
    x = layers.Concatenate(name="heads")(hidden) if heads > 1 else hidden[0]

    def logits(outputs: int, name: str) -> tf.Tensor:
        shape = (-1, outputs) if each_step else (outputs,)
        return layers.Reshape(shape, name=name)(
            AveragedHeads(heads, outputs, name=f"{name}_head")(x)
        )

    outputs = posteriors_of(logits(logits_of(num_labels), LOGITS), logits(1, SILENCE_LOGITS))
    return StrongestStep(name="strongest_step")(outputs) if each_step else outputs
