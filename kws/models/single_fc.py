"""single_fc: one fully connected layer, the least that a model can be.

`single_fc` in TensorFlow's speech_commands example (tensorflow/examples/speech_commands/models.py):
"this doesn't produce very accurate results, but it is very fast and simple, so it's useful for
sanity testing". What another model gains over it is what its structure is worth.

    [frames, channels] -> fully connected -> softmax

The example gives no counts. With 49 x 40 features and 10 labels: 19,610 parameters and 19,600
multiply-adds.
"""

from typing import TYPE_CHECKING

from kws.models import blocks
from kws.models.blocks import Rate
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

STREAMING = False


class Options(Params):
    """Regularization of single_fc."""

    dropout: Rate = 0.0


def build(options: Options, feature_shape: tuple[int, int], num_labels: int) -> "tf.keras.Model":
    """See `kws.models.registry.build`."""
    import tensorflow as tf

    inputs = tf.keras.layers.Input(feature_shape, name="features")
    x = tf.keras.layers.Flatten(name="flat")(inputs)
    outputs = blocks.posteriors(blocks.dropout(x, options.dropout), num_labels)
    return tf.keras.Model(inputs, outputs, name="single_fc")
