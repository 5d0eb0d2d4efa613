"""Rewrites a model so that its int8 file is exact and the same in TFLite and TFLM.

**Sub-spectral normalization** is folded into the preceding convolution. The converter folds an
ordinary batch normalization into the kernel. A sub-spectral one differs between parts of the
spectrum and would remain as a multiplication and an addition, which int8 tolerates badly: the
convolution's output has a single scale although its filters and parts differ tenfold, so do the
constants, and every value is rounded three times. With a kernel for each part (int8 kernels have a
scale for each filter) values are rounded once, already normalized.

**An offset behind a ReLU** is folded into the convolution. `max(x, c)` with c < 0, written as
`relu(x - c) + c`, reaches the int8 file as a convolution with a ReLU and an ADD of c, which rounds
every value once more and costs an operator. An int8 tensor whose range begins at c clips there by
itself, so the convolution gets c in its bias, no ReLU, and writes what the ADD wrote.

**MUL's scale** is adjusted. Both interpreters multiply the product of two int8 values by `scale_1
* scale_2 / scale_out`, as a 31-bit integer and a shift. TFLite computes this factor in float32
(`tensorflow/lite/kernels/mul.cc`), TFLM in float64
(`tensorflow/lite/micro/kernels/mul_common.cc`), so the last seven of the 31 bits differ, and a
product that lies almost exactly between two integers is rounded differently; some outputs of a
trigger_gru differed by 3 steps for this reason alone. No caller can correct that, so the file is
changed: of about a hundred output scales one has a factor for which both keep the same 31 bits,
and the nearest is taken. The scale moves by a hundred-thousandth. Where one factor is a power of
two, as after a sigmoid or tanh, such a scale always exists; otherwise in nine of ten cases, and
if then one operand is a constant, its scale is moved by some ten-millionths as well.
"""

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from kws.export import flatbuffer

if TYPE_CHECKING:
    import tensorflow as tf


def fold_subspectral_norm(model: "tf.keras.Model") -> "tf.keras.Model":
    """A copy that gives the same outputs without training, or the model if nothing can be folded.

    Args:
      model: built; each `SubSpectralNormalization` right behind a `FrequencyDepthwise` that
        nothing else reads is folded.
    """
    import tensorflow as tf

    from kws.models.keras_layers import SubSpectralDepthwise

    pairs = dict(_pairs(model))
    if not pairs:
        return model
    gone = {normalization.name for normalization in pairs.values()}

    def copied(layer: "tf.keras.layers.Layer") -> "tf.keras.layers.Layer":
        if layer.name in pairs:
            kernel_bands, stride = layer.kernel_size[0], layer.strides[0]
            parts = pairs[layer.name].parts
            return SubSpectralDepthwise(kernel_bands, stride, parts, name=layer.name)
        if layer.name in gone:
            return tf.keras.layers.Activation("linear", name=layer.name)
        return type(layer).from_config(layer.get_config())

    copy = tf.keras.models.clone_model(model, clone_function=copied)
    for layer in model.layers:
        if layer.name in pairs:
            copy.get_layer(layer.name).set_weights(_weights(layer, pairs[layer.name]))
        elif layer.name not in gone:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def _pairs(
    model: "tf.keras.Model",
) -> "Iterator[tuple[str, tf.keras.layers.Layer]]":
    """Names of convolutions, and the normalizations that are folded into them."""
    from kws.models.keras_layers import FrequencyDepthwise, SubSpectralNormalization

    for layer in model.layers:
        if not isinstance(layer, FrequencyDepthwise) or layer.use_bias:
            continue
        after = [node.outbound_layer for node in layer.outbound_nodes]
        if len(after) == 1 and isinstance(after[0], SubSpectralNormalization):
            yield layer.name, after[0]


def _weights(
    convolution: "tf.keras.layers.Layer", normalization: "tf.keras.layers.Layer"
) -> list[np.ndarray]:
    """Kernel and bias of both layers together, see `SubSpectralDepthwise`."""
    filters = convolution.depthwise_kernel.shape[2]

    def by_part(weight: "tf.Variable | None", default: float) -> np.ndarray:
        return np.full(1, default) if weight is None else weight.numpy().reshape(-1, filters)

    deviation = np.sqrt(by_part(normalization.moving_variance, 1) + normalization.epsilon)
    factor = by_part(normalization.gamma, 1) / deviation
    bias = by_part(normalization.beta, 0) - by_part(normalization.moving_mean, 0) * factor
    kernel = convolution.depthwise_kernel.numpy()[:, :, None, :, 0] * factor
    return [kernel.reshape(*kernel.shape[:2], -1, 1), bias.ravel()]


_LEAST = -128
_NO_ACTIVATION, _RELU = 0, 1


def fold_offsets(content: bytes) -> bytes:
    """The bytes of a `.tflite` file in which such additions are part of the convolution.

    The same bytes come back where there is none: the sum's tensor must begin at the constant, to a
    step, and nothing else may read what the convolution wrote.
    """
    model = flatbuffer.read_model(content)
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
            or flatbuffer.name(model, before) != "CONV_2D"
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
    flatbuffer.drop_unused(model)
    return flatbuffer.slim_model(model, len(content))


def _offset(model: Any, graph: Any, operator: Any) -> tuple[int, float] | None:
    """The tensor to which an operator adds one constant, and the constant."""
    kind = flatbuffer.name(model, operator)
    if kind not in ("ADD", "SUB") or operator.builtinOptions.fusedActivationFunction:
        return None
    given, constant = (int(index) for index in operator.inputs)
    tensor = graph.tensors[constant]
    values = flatbuffer.constant(model, tensor, np.int8)
    if values is None or len(values) != 1:
        return None
    value = float(tensor.quantization.scale[0]) * (int(values[0]) - flatbuffer.zero_point(tensor))
    return given, value if kind == "ADD" else -value


def _begins_at(tensor: Any, offset: float) -> bool:
    scale = float(tensor.quantization.scale[0])
    return abs((_LEAST - flatbuffer.zero_point(tensor)) * scale - offset) <= scale


def _shift_bias(model: Any, tensor: Any, offset: float) -> None:
    """Adds a constant to an int32 bias, in a buffer of its own: another may have the old one."""
    values = flatbuffer.constant(model, tensor, np.int32)
    assert values is not None
    steps = np.round(offset / np.asarray(tensor.quantization.scale, np.float64))
    shifted = (values + steps).astype(np.int32)
    buffer = type(model.buffers[0])()
    buffer.data = np.frombuffer(shifted.tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor.buffer = len(model.buffers) - 1


def _inputs(operator: Any) -> set[int]:
    return set() if operator.inputs is None else {int(index) for index in operator.inputs}


_INT8 = 9
_RESCALE = {
    *("ADD", "SUB", "MUL", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MEAN"),
    *("LOGISTIC", "TANH", "SOFTMAX", "QUANTIZE", "DEQUANTIZE"),
}
"""Operators whose output's scale is their own; others hand on their input's, which binds it."""
_TRIED, _TRIED_OF_CONSTANT = 1024, 8
"""Neighbouring scales, up and down; the farthest of a product is 1e-4 away."""


def agree_mul_scales(content: bytes) -> bytes:
    """The bytes of a `.tflite` file in which MUL is the same to both wherever that can be had.

    It cannot where the product goes on with the same scale: into a variable, a concatenation or
    out of the model. The same bytes come back where nothing is to be done.
    """
    model = flatbuffer.read_model(content)
    graph = model.subgraphs[0]
    moved = False
    for operator in graph.operators:
        if flatbuffer.name(model, operator) != "MUL":
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
    return flatbuffer.pack(model, len(content)) if moved else content


def agreeing_scale(one: np.float32, other: np.float32, made: np.float32) -> np.float32 | None:
    """The output scale nearest to `made` of which both take the same factor; None: there is none.

    Args:
      one: scale of one factor.
      other: scale of the other factor.
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
    free = flatbuffer.constant(model, tensor, np.int8) is not None and len(users) == 1
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
    names = {flatbuffer.name(model, user) for user in users}
    return tensor in graph.outputs or not names <= _RESCALE
