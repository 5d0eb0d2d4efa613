"""A detection head: from the last embeddings to posteriors of the keywords, in order of time.

Each embedding tells what was said in 775 ms; the head tells in which order. Lin et al. (2020,
arXiv:2002.01322, section 3.2) put a convolution over time on their embeddings; heads that average
over time instead confuse a phrase with its parts and their reversals. Here it is

    [steps, 96], a step every 80 ms
      -> batch normalization
      -> 3 convolutions over time, kernel 3, 64 filters, each with batch normalization and ReLU
      -> what is left of the steps, side by side -> fully connected 32, ReLU -> softmax

which pads nothing: a stream gives at every step what a clip of the last `steps` embeddings gives.
With 16 steps (1.98 s of sound: 15 hops of 80 ms and a window of 782 ms) and 3 labels: 64,771
parameters; 0.55 million multiply-adds a clip.

    head = build_head(HeadParams(), frames=16, num_labels=3)
    posteriors = head(speech.embed_clips(clips))  # clips of 31,712 samples
"""

from typing import TYPE_CHECKING

import pydantic

from kws.errors import KwsError
from kws.models import blocks
from kws.models.blocks import Rate, Width
from kws.models.causal import Past
from kws.params import Params
from kws.speech.network import EMBEDDING_SIZE

if TYPE_CHECKING:
    import tensorflow as tf


class HeadParams(Params):
    """Size and regularization of a head."""

    layers: int = pydantic.Field(3, ge=1, le=8, description="convolutions over time")
    kernel: int = pydantic.Field(3, ge=1, le=16, description="of each, in steps of 80 ms")
    filters: Width = pydantic.Field(64, description="of each convolution")
    hidden_units: Width = pydantic.Field(32, description="of the layer before the softmax")
    dropout: Rate = pydantic.Field(0.3, description="before and after the hidden layer")
    batch_norm_momentum: Rate = 0.98


def build_head(params: HeadParams, frames: int, num_labels: int) -> "tf.keras.Model":
    """A head with freshly drawn weights.

    Args:
      params: its size.
      frames: embeddings of one example; 16 are 1.98 s.
      num_labels: length of `kws.labels.label_list(keywords)`.

    Returns:
      A Keras 2 model from float32 `[batch, frames, 96]` to posteriors `[batch, num_labels]`.

    Raises:
      KwsError: fewer frames than the convolutions use up.
    """
    import tensorflow as tf

    from kws._environment import require_keras_2

    require_keras_2()
    inputs = tf.keras.layers.Input((frames, EMBEDDING_SIZE), name="embeddings")
    past = Past(remembers=False, zeros=False)
    outputs = head_layers(blocks.sequence(inputs), params, frames, num_labels, past)
    return tf.keras.Model(inputs, outputs, name="head")


def head_layers(
    x: "tf.Tensor", params: HeadParams, steps: int, num_labels: int, past: Past
) -> "tf.Tensor":
    """The head of `[batch, steps, 1, 96]`, or of the next step where `past` remembers.

    Raises:
      KwsError: fewer steps than the convolutions use up.
    """
    import tensorflow as tf

    x = hidden_layers(normalized_embeddings(x, params, past), params, steps, past)
    return blocks.posteriors(tf.keras.layers.Flatten(name="head_flat")(x), num_labels)


def normalized_embeddings(x: "tf.Tensor", params: HeadParams, past: Past) -> "tf.Tensor":
    """What the first convolution takes: the former embeddings are kept once for all heads."""
    x = blocks.normalize(x, "embeddings", params.batch_norm_momentum)
    return past.before(x, params.kernel - 1, "head_1")


def hidden_layers(
    x: "tf.Tensor",
    params: HeadParams,
    steps: int,
    past: Past,
    name: str = "head",
    channel_dropout: float = 0.0,
) -> "tf.Tensor":
    """A head up to its hidden units, at every step that has `steps` embeddings up to it.

    Args:
      x: of `normalized_embeddings`.
      params: its size.
      steps: embeddings that it hears.
      past: as `x` was made with.
      name: prefix of the layers.
      channel_dropout: share of the channels of the embedding that are dropped as a whole.

    Returns:
      `[batch, n, 1, hidden_units]`.

    Raises:
      KwsError: fewer steps than the convolutions use up.
    """
    import tensorflow as tf

    left = steps - params.layers * (params.kernel - 1)
    if left < 1:
        raise KwsError(
            f"a head of {params.layers} convolutions of kernel {params.kernel} needs "
            f"{steps - left + 1} embeddings, these are {steps}",
            hint="a longer clip (80 ms an embedding), or fewer or shorter convolutions",
        )
    layers = tf.keras.layers
    if channel_dropout:
        dropped = {"rng_type": "stateful", "name": f"{name}_channels"}
        x = layers.SpatialDropout2D(channel_dropout, **dropped)(x)
    for number in range(1, params.layers + 1):
        own = f"{name}_{number}"
        if number > 1:  # what is before the first is in x
            x = past.before(x, params.kernel - 1, own)
        x = layers.Conv2D(params.filters, (params.kernel, 1), use_bias=False, name=own)(x)
        x = blocks.normalized_relu(x, own, params.batch_norm_momentum)
    x = past.whole(x, left, name)
    x = blocks.dropout(x, params.dropout, f"{name}_dropout_1")
    x = layers.Conv2D(params.hidden_units, (left, 1), activation="relu", name=f"{name}_hidden")(x)
    return blocks.dropout(x, params.dropout, f"{name}_dropout_2")
