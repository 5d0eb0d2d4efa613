"""Multiply-accumulates of a `.tflite` file, counted as `kws.models.cost` counts a Keras model's.

A bundle holds no Keras model, so what a device pays for one inference is read from the file. Of a
network whose state begins with zeros at every window (a GRU) the file counts a little less: the
converter leaves out the products with that zero.
"""

import math

from kws.errors import KwsError
from kws.micro import operators

_COUNTED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "SVDF"}
_UNCOUNTED = {"BATCH_MATMUL", "CONV_3D", "UNIDIRECTIONAL_SEQUENCE_LSTM", "WHILE"}
"""They multiply and accumulate, no architecture of the zoo has them, and no rule is here."""


def count(content: bytes) -> int:
    """Multiply-accumulates of one inference: a window's, or a step's.

    Convolutions and fully connected layers count kernel values used per output value times output
    values; operators element by element, pooling and softmax count nothing, by convention.

    Raises:
      KwsError: the bytes are no TFLite model, or an operator cannot be counted.
    """
    total = 0
    for use in operators.uses(content):
        if use.name in _UNCOUNTED:
            raise KwsError(f"{use.name} has multiply-accumulates that cannot be counted")
        if not use.subgraph:
            total += _of_use(use)
    return total


def _of_use(use: operators.Use) -> int:
    if use.name not in (
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "TRANSPOSE_CONV",
        "SVDF",
    ):
        return 0
    # Kernels are [out, height, width, in], [1, height, width, channels] and [out, in].
    kernel = use.inputs(1)
    if use.name == "TRANSPOSE_CONV":
        return math.prod(use.inputs(2)) * math.prod(kernel[:3])
    if use.name == "SVDF":
        return math.prod(kernel) + math.prod(use.inputs(2))
    used = kernel[1:3] if use.name == "DEPTHWISE_CONV_2D" else kernel[1:]
    return math.prod(use.outputs()[0]) * math.prod(used)
