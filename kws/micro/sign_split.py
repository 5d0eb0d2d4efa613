"""A network written so that TFLite's optimized kernels give TensorFlow Lite Micro's numbers.

Convolutions and fully connected layers end in a division by a power of two, and what lies exactly
between two numbers is rounded away from zero by TFLM and by TFLite's plain kernels, but upwards by
the optimized ones (ruy's matrix multiplication, SIMD in depthwise convolutions). Of positive values
both are the same; of negative ones, one in some hundred or thousand differs by a step. A layer
whose int8 output begins at zero (zero point -128, as after a ReLU) never shows a negative value, so
those agree as they are. The others are computed twice, with the weights and with their negatives,
each time for what is positive of it, and the second is taken from the first: `x = max(x, 0) -
max(-x, 0)`. int8 weights lie between -127 and 127, so all of this is exact.

It is a form for this machine only. The file's own tensors keep their numbers and values.
"""

import copy
from typing import Any

import numpy as np

from kws.micro import objects, slim

_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_LOWEST = -128
_INT8 = 9


def split(content: bytes) -> bytes:
    """The bytes of a `.tflite` file of the same network, or the same bytes: nothing is to be split.

    A layer stays as it is that has a fused activation (it shows no negative values) or whose
    weights are no int8 constants or hold -128.
    """
    model = objects.read(content)
    graph = model.subgraphs[0]
    written: list[Any] = []
    for operator in graph.operators:
        written += _halves(model, operator) if _is_signed(model, operator) else [operator]
    if len(written) == len(graph.operators):
        return content
    graph.operators = written
    return slim.pack(model, 2 * len(content))


def _is_signed(model: Any, operator: Any) -> bool:
    if objects.name(model, operator) not in _LAYERS:
        return False
    tensors = model.subgraphs[0].tensors
    made, weights = tensors[operator.outputs[0]], tensors[operator.inputs[1]]
    if made.type != _INT8 or operator.builtinOptions.fusedActivationFunction != 0:
        return False
    values = objects.constant(model, weights, np.int8)
    return values is not None and values.min() > _LOWEST and objects.zero_point(made) > _LOWEST


def _halves(model: Any, operator: Any) -> list[Any]:
    """The layer for what is positive, the layer for what is negative, and their difference."""
    tensors = model.subgraphs[0].tensors
    positive, negative = copy.copy(operator), copy.copy(operator)
    negative.inputs = operator.inputs.copy()
    for place, dtype in ((1, np.int8), (2, np.int32)):
        if place < len(operator.inputs) and operator.inputs[place] >= 0:
            tensor = tensors[operator.inputs[place]]
            values = objects.constant(model, tensor, dtype)
            assert values is not None  # of constant weights biases are, too
            negative.inputs[place] = _add(tensors, _like(model, tensor, -values))
    made = tensors[operator.outputs[0]]
    for half in (positive, negative):
        from_zero = copy.copy(made)
        from_zero.quantization = copy.copy(made.quantization)
        from_zero.quantization.zeroPoint = np.array([_LOWEST], np.int64)
        half.outputs = np.array([_add(tensors, from_zero)], np.int32)
    difference = _subtraction(model)
    difference.inputs = np.concatenate([positive.outputs, negative.outputs])
    difference.outputs = operator.outputs
    return [positive, negative, difference]


def _like(model: Any, tensor: Any, values: np.ndarray) -> Any:
    """A constant tensor as another is, with other values."""
    buffer = copy.copy(model.buffers[tensor.buffer])
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    made = copy.copy(tensor)
    made.buffer = len(model.buffers) - 1
    return made


def _add(tensors: list[Any], tensor: Any) -> int:
    tensors.append(tensor)
    return len(tensors) - 1


def _subtraction(model: Any) -> Any:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SUB
    code.version = 2  # the first with int8
    model.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.builtinOptionsType = schema.BuiltinOptions.SubOptions
    operator.builtinOptions = schema.SubOptionsT()
    return operator
