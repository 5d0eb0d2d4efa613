"""What one inference of a model costs: multiply-accumulates, counted layer by layer."""

import math
from typing import TYPE_CHECKING

from kws.errors import KwsError
from kws.models.causal import is_memory

if TYPE_CHECKING:
    import tensorflow as tf


def macs(model: "tf.keras.Model") -> int:
    """Multiply-accumulates of one call, a clip or a step, as the papers count them.

    Convolutions and fully connected layers count kernel values used per output value times output
    values, gated recurrent units their three gates' weights at every step. Batch normalization is
    folded away at conversion; bias, activation, pooling and softmax are by convention no
    multiply-accumulates. They count nothing.

    Raises:
      KwsError: a layer with weights that this function cannot count.
    """
    return sum(_layer_macs(layer) for layer in model.layers)


def _layer_macs(layer: "tf.keras.layers.Layer") -> int:
    import tensorflow as tf

    from kws.models.keras_layers import AveragedHeads

    layers = tf.keras.layers
    if isinstance(layer, tf.keras.Model):
        return macs(layer)
    if isinstance(layer, layers.DepthwiseConv2D):
        height, width, _, _ = layer.depthwise_kernel.shape
        return height * width * math.prod(layer.output_shape[1:])
    if isinstance(layer, (layers.Conv2D, layers.Conv1D)):
        per_output = math.prod(layer.kernel.shape[:-1])
        return per_output * math.prod(layer.output_shape[1:])
    if isinstance(layer, layers.GRU):
        steps, inputs = layer.input_shape[1:]
        return steps * 3 * layer.units * (inputs + layer.units)
    if isinstance(layer, layers.Dense):
        return layer.kernel.shape[0] * math.prod(layer.output_shape[1:])
    if isinstance(layer, AveragedHeads):
        # Its first call is the model's own; another may be of its training.
        return math.prod(layer.kernel.shape[:2]) * math.prod(layer.get_output_shape_at(0)[1:])
    multiplied = [weight for weight in layer.weights if not is_memory(weight)]
    if multiplied and not isinstance(layer, layers.BatchNormalization):
        raise KwsError(
            f"layer {layer.name} ({type(layer).__name__}) has weights that macs() cannot count",
            hint="add its rule to kws/models/cost.py",
        )
    return 0
