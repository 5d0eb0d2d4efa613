"""Values that a `.tflite` file's inference computes one by one, beside its multiply-accumulates."""

import math
from typing import Any

from kws.errors import KwsError

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
    if content[4:8] != b"TFL3":
        raise KwsError(f"{len(content)} bytes without the mark TFL3 are no TFLite model")
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    model = schema.Model.GetRootAsModel(content, 0)
    graph = model.Subgraphs(0)
    total = 0
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = model.OperatorCodes(operator.OpcodeIndex())
        name = names.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), "")
        if name in _MULTIPLY or name in _COPY:
            continue
        if name in _REDUCE:
            total += _size(graph, operator.Inputs(0))
        else:
            total += sum(_size(graph, tensor) for tensor in operator.OutputsAsNumpy())
    return total


def _size(graph: Any, tensor: int) -> int:
    shape = graph.Tensors(tensor).ShapeAsNumpy()
    return math.prod(int(size) for size in shape) if not isinstance(shape, int) else 1
