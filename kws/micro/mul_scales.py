"""MUL multiplied alike by TFLite and by TensorFlow Lite Micro: its output's scale, moved a little.

Both multiply the product of two int8 values by `scale_1 * scale_2 / scale_out`, as a whole number
of 31 bits and a shift. TFLite computes this factor in float32 (`tensorflow/lite/kernels/mul.cc`),
TFLM in float64 (`tensorflow/lite/micro/kernels/mul_common.cc`), so the 31 bits differ in the last
seven, and a product that lies as good as between two numbers is rounded up by one and down by the
other. Of a trigger_gru's outputs some came to lie 3 steps apart by this alone.

No host could mend it: a float32 has 24 bits. So it is mended in the file: one output scale in
some hundred has a factor of which both keep the same 31 bits, and the nearest is taken. The scale
moves by a hundred thousandth, a step of int8 by as much. Where one of the two is a power of two, as
the scale of a sigmoid or of tanh is, such a scale is always found; of any two in nine of ten cases,
and if then one of them is a constant, its scale moves along by some ten millionths.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from kws.micro import objects, slim

_INT8 = 9
_RESCALE = {
    *("ADD", "SUB", "MUL", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MEAN"),
    *("LOGISTIC", "TANH", "SOFTMAX", "QUANTIZE", "DEQUANTIZE"),
}
"""Operators whose output's scale is their own; others hand on their input's, which binds it."""
_TRIED, _TRIED_OF_CONSTANT = 1024, 8
"""Neighbouring scales, up and down; the farthest of a product is 1e-4 away."""


def agree(content: bytes) -> bytes:
    """The bytes of a `.tflite` file in which MUL is the same to both wherever that can be had.

    It cannot where the product goes on with the same scale: into a variable, a concatenation or
    out of the model. The same bytes come back where nothing is to be done.
    """
    model = objects.read(content)
    graph = model.subgraphs[0]
    moved = False
    for operator in graph.operators:
        if objects.name(model, operator) != "MUL":
            continue
        made = graph.tensors[operator.outputs[0]]
        if made.type != _INT8 or _is_bound(model, graph, int(operator.outputs[0])):
            continue
        tensors = [graph.tensors[index] for index in (*operator.inputs, *operator.outputs)]
        before = [np.float32(tensor.quantization.scale[0]) for tensor in tensors]
        choices = (_choices(model, graph, int(index)) for index in operator.inputs)
        for one, other in itertools.product(*choices):
            scale = agreeing_scale(one, other, before[2])
            if scale is not None:
                break
        else:
            continue
        for tensor, old, new in zip(tensors, before, (one, other, scale), strict=True):
            if old != new:
                tensor.quantization.scale = np.array([new], np.float32)
                moved = True
    return slim.pack(model, len(content)) if moved else content


def agreeing_scale(one: np.float32, other: np.float32, made: np.float32) -> np.float32 | None:
    """The output scale nearest to `made` of which both take the same factor; None: there is none.

    Args:
      one, other: scales of what is multiplied.
      made: of the product, as the converter wants it.
    """
    for scale in _neighbours(made, _TRIED):
        in_float32 = float(np.float32(np.float32(one * other) / scale))
        if fixed_point(in_float32) == fixed_point(float(one) * float(other) / float(scale)):
            return scale
    return None


def fixed_point(factor: float) -> tuple[int, int]:
    """31 bits and an exponent, as QuantizeMultiplier of TFLite and TFLM."""
    fraction, exponent = math.frexp(factor)
    bits = math.floor(fraction * (1 << 31) + 0.5)
    return (bits // 2, exponent + 1) if bits == 1 << 31 else (bits, exponent)


def _choices(model: Any, graph: Any, index: int) -> list[np.float32]:
    """Scales that one of the two may have: its own, and its neighbours if it is a constant."""
    tensor = graph.tensors[index]
    users = [op for op in graph.operators if op.inputs is not None and index in op.inputs]
    free = objects.constant(model, tensor, np.int8) is not None and len(users) == 1
    count = _TRIED_OF_CONSTANT if free else 0
    return list(_neighbours(np.float32(tensor.quantization.scale[0]), count))


def _neighbours(scale: np.float32, count: int) -> Iterator[np.float32]:
    """The float32 numbers about one, the nearest first."""
    yield scale
    lower = upper = scale
    for _ in range(count):
        lower, upper = np.nextafter(lower, np.float32(0)), np.nextafter(upper, np.float32(np.inf))
        yield upper
        yield lower


def _is_bound(model: Any, graph: Any, tensor: int) -> bool:
    users = [op for op in graph.operators if op.inputs is not None and tensor in op.inputs]
    names = {objects.name(model, user) for user in users}
    return tensor in graph.outputs or not names <= _RESCALE
