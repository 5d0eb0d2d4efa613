"""A constant added behind a convolution's ReLU, folded into the convolution.

The larger of x and a constant c < 0 cuts off what is of no use after it; as `relu(x - c) + c` it
reaches the int8 file as a convolution with a ReLU and an ADD of c. The ADD rounds every value once
more and costs an operator. An int8 tensor that begins at c cuts off there by itself: so the
convolution gets c in its bias, no ReLU, and writes what the ADD wrote.
"""

from typing import Any

import numpy as np

from kws.micro import objects, slim

_LEAST = -128
_NO_ACTIVATION, _RELU = 0, 1


def fold_offsets(content: bytes) -> bytes:
    """The bytes of a `.tflite` file in which such additions are part of the convolution.

    The same bytes come back where there is none: the sum's tensor must begin at the constant, to a
    step, and nothing else may read what the convolution wrote.
    """
    model = objects.read(content)
    graph = model.subgraphs[0]
    writers = {int(i): op for op in graph.operators for i in op.outputs}
    gone = []
    for operator in graph.operators:
        found = _offset(model, graph, operator)
        if found is None:
            continue
        index, offset = found
        before = writers.get(index)
        users = [op for op in graph.operators if index in _inputs(op)]
        if (
            before is None
            or objects.name(model, before) != "CONV_2D"
            or before.builtinOptions.fusedActivationFunction != _RELU
            or len(users) != 1
            or index in graph.outputs
            or not _begins_at(graph.tensors[operator.outputs[0]], offset)
        ):
            continue
        _shift_bias(model, graph.tensors[before.inputs[2]], offset)
        before.builtinOptions.fusedActivationFunction = _NO_ACTIVATION
        before.outputs = operator.outputs
        gone.append(operator)
    if not gone:
        return content
    graph.operators = [op for op in graph.operators if not any(op is one for one in gone)]
    objects.drop_unused(model)
    return slim.slim_model(model, len(content))


def _offset(model: Any, graph: Any, operator: Any) -> tuple[int, float] | None:
    """The tensor to which an operator adds one constant, and the constant."""
    kind = objects.name(model, operator)
    if kind not in ("ADD", "SUB") or operator.builtinOptions.fusedActivationFunction:
        return None
    given, constant = (int(index) for index in operator.inputs)
    tensor = graph.tensors[constant]
    values = objects.constant(model, tensor, np.int8)
    if values is None or len(values) != 1:
        return None
    value = float(tensor.quantization.scale[0]) * (int(values[0]) - objects.zero_point(tensor))
    return given, value if kind == "ADD" else -value


def _begins_at(tensor: Any, offset: float) -> bool:
    scale = float(tensor.quantization.scale[0])
    return abs((_LEAST - objects.zero_point(tensor)) * scale - offset) <= scale


def _shift_bias(model: Any, tensor: Any, offset: float) -> None:
    """Adds a constant to an int32 bias, in a buffer of its own: another may have the old one."""
    values = objects.constant(model, tensor, np.int32)
    assert values is not None
    steps = np.round(offset / np.asarray(tensor.quantization.scale, np.float64))
    shifted = (values + steps).astype(np.int32)
    buffer = type(model.buffers[0])()
    buffer.data = np.frombuffer(shifted.tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor.buffer = len(model.buffers) - 1


def _inputs(operator: Any) -> set[int]:
    return set() if operator.inputs is None else {int(index) for index in operator.inputs}
