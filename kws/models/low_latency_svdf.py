"""low_latency_svdf: a first layer of low rank, a filter over channels, then one over time.

Nakkiran, Alvarez, Prabhavalkar, Parada, "Compressing Deep Neural Networks using a Rank-Constrained
Topology", Interspeech 2015, section 3; `low_latency_svdf` in TensorFlow's speech_commands example,
whose sizes the defaults are.

    [frames, channels]
      -> 2 (the rank) x (filter over all channels -> filter over all frames), 1,280 units
      -> their sum, ReLU -> fully connected 256 -> fully connected 256 -> softmax

A unit's weights over the clip are a frames x channels matrix of rank 2, so a unit needs
2 x (frames + channels) weights instead of frames x channels. The paper counts networks of other
sizes, the example none. With 98 x 40 features and 12 labels, as in that example, 751,372 parameters
and 10.7 million multiply-adds a clip; with 49 x 40 features and 10 labels 625,418 and 5.5 million.
(The filters over channels are most of it. A device that
keeps their outputs of former frames computes them for the new frame alone: 0.6 million.)
"""

from typing import TYPE_CHECKING

import pydantic

from kws.models import blocks
from kws.models.blocks import Rate, Width
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False


class Options(Params):
    """Size and regularization of low_latency_svdf."""

    units: Width = 1280
    rank: int = pydantic.Field(2, ge=1, le=16)
    hidden_units: Width = 256
    dropout: Rate = 0.5


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`."""
    import tensorflow as tf

    layers = tf.keras.layers
    frames, _ = feature_shape
    inputs = layers.Input(feature_shape, name="features")
    sequence = blocks.sequence(inputs)
    terms = []
    for rank in range(1, options.rank + 1):
        over_channels = layers.Conv2D(
            options.units, (1, 1), use_bias=False, name=f"channels_{rank}"
        )
        # One bias a unit: the first term carries it.
        over_time = layers.DepthwiseConv2D((frames, 1), use_bias=rank == 1, name=f"time_{rank}")
        terms.append(over_time(over_channels(sequence)))
    x = layers.Add(name="sum")(terms) if options.rank > 1 else terms[0]
    x = layers.ReLU(name="relu")(x)
    x = blocks.dropout(x, options.dropout, "dropout_1")
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(options.hidden_units, activation="relu", name="hidden_1")(x)
    x = blocks.dropout(x, options.dropout, "dropout_2")
    x = layers.Dense(options.hidden_units, activation="relu", name="hidden_2")(x)
    x = blocks.dropout(x, options.dropout, "dropout_3")
    outputs = blocks.posteriors(x, num_labels)
    return tf.keras.Model(inputs, outputs, name="low_latency_svdf")
