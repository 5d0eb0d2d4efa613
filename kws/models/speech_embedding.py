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
"""

from typing import TYPE_CHECKING

from kws.errors import KwsError
from kws.models import blocks
from kws.models.causal import Past
from kws.speech.head import HeadParams, head_layers
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


class Options(HeadParams):
    """Size and regularization of the head; the embedding has none."""


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


def build_step(
    options: Options, feature_shape: tuple[int, int], num_labels: int
) -> "tf.keras.Model":
    """The one-step form; see `kws.models.registry.build_step`."""
    return _network(options, feature_shape, num_labels, Past(remembers=True, zeros=False))


def _network(
    options: Options, feature_shape: tuple[int, int], num_labels: int, past: Past
) -> "tf.keras.Model":
    import tensorflow as tf

    if feature_shape[1] != MEL_CHANNELS:
        raise KwsError(
            f"speech_embedding hears {MEL_CHANNELS} mel channels, these are {feature_shape[1]}",
            hint="features.frontend=speech_mel, with the parameters that it asks for",
        )
    blocks.require_size("speech_embedding", feature_shape, (EMBEDDING_FRAMES, MEL_CHANNELS))
    inputs = past.inputs(feature_shape, EMBEDDING_HOP_FRAMES)
    x = blocks.image(inputs)
    x = past.whole_strides(x, EMBEDDING_FRAMES, EMBEDDING_HOP_FRAMES, "features")
    x = embedding_layers(x, past)
    steps = window_count(feature_shape[0])
    outputs = head_layers(x, options, steps, num_labels, past)
    model = tf.keras.Model(inputs, outputs, name="speech_embedding")
    load_embedding_weights(model, int8=True)
    return model
