"""Multiply-accumulates of a `.tflite` file, counted as `kws.models.cost` counts a Keras model's.

A bundle holds no Keras model, so what a device pays for one inference is read from the file. Of a
network whose state begins with zeros at every window (a GRU) the file counts a little less: the
converter leaves out the products with that zero.
"""

import math
from typing import Any

from kws.errors import KwsError

_UNCOUNTED = {"BATCH_MATMUL", "CONV_3D", "UNIDIRECTIONAL_SEQUENCE_LSTM", "WHILE"}
"""They multiply and accumulate, no architecture of the zoo has them, and no rule is here."""


def count(content: bytes) -> int:
    """Multiply-accumulates of one inference: a window's, or a step's.

    Convolutions and fully connected layers count kernel values used per output value times output
    values; operators element by element, pooling and softmax count nothing, by convention.

    Raises:
      KwsError: the bytes are no TFLite model, or an operator cannot be counted.
    """
    if content[4:8] != b"TFL3":
        raise KwsError(f"{len(content)} bytes without the mark TFL3 are no TFLite model")
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    model = schema.Model.GetRootAsModel(content, 0)
    # The first graph is what an inference runs; a second one sets a streaming model's first state.
    graph = model.Subgraphs(0)
    total = 0
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = model.OperatorCodes(operator.OpcodeIndex())
        name = names.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), "")
        if name in _UNCOUNTED:
            raise KwsError(f"{name} has multiply-accumulates that cannot be counted")
        total += _of_operator(name, graph, operator)
    return total


def _of_operator(name: str, graph: Any, operator: Any) -> int:
    if name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "SVDF"):
        return 0
    # Kernels are [out, height, width, in], [1, height, width, channels] and [out, in].
    kernel = _shape(graph, operator.Inputs(1))
    if name == "TRANSPOSE_CONV":
        return math.prod(_shape(graph, operator.Inputs(2))) * math.prod(kernel[:3])
    if name == "SVDF":
        return math.prod(kernel) + math.prod(_shape(graph, operator.Inputs(2)))
    outputs = math.prod(_shape(graph, operator.Outputs(0)))
    used = kernel[1:3] if name == "DEPTHWISE_CONV_2D" else kernel[1:]
    return outputs * math.prod(used)


def _shape(graph: Any, tensor: int) -> list[int]:
    return [int(size) for size in graph.Tensors(tensor).ShapeAsNumpy()]
