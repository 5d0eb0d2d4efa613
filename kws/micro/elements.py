"""Values that a `.tflite` file's inference computes one by one, beside its multiply-accumulates."""

import math

from kws.micro import operators

_MULTIPLY = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "SVDF"}
"""Counted by `kws.micro.macs`."""
_COPY = {
    "ASSIGN_VARIABLE", "CALL_ONCE", "CONCATENATION", "EXPAND_DIMS", "PACK", "READ_VARIABLE",
    "RESHAPE", "SQUEEZE", "VAR_HANDLE",
}  # fmt: skip
"""They move blocks of bytes or nothing at all."""
_REDUCE = {"AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "SUM"}
"""Their work is that of their inputs."""


def count(content: bytes) -> int:
    """Outputs of all other operators of the first graph; of pooling, its inputs.

    Raises:
      KwsError: the bytes are no TFLite model.
    """
    total = 0
    for use in operators.uses(content):
        if use.subgraph or use.name in _MULTIPLY or use.name in _COPY:
            continue
        shapes = [use.inputs(0)] if use.name in _REDUCE else use.outputs()
        total += sum(math.prod(shape) for shape in shapes)
    return total
