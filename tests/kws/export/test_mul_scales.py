"""TFLite and TFLM multiply alike, held against each other on all pairs of int8 values."""

import numpy as np
import pytest
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from kws.export import flatbuffer, rewrites
from kws.runtime import kernels

SCALES = np.float32([0.00771069, 0.0110974, 0.0188146])
"""Of a trigger_gru's normalization, where some outputs were found to differ."""


def multiplication(
    scales: np.ndarray, *, bound: bool = False, constant: np.ndarray | None = None
) -> bytes:
    """A file that multiplies two `[65536]` tensors and hands on the product as floats.

    Args:
      scales: of the two and of the product.
      bound: the product is an output of the model, too.
      constant: what the second holds, if it is no input.
    """
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    codes = (schema.BuiltinOperator.MUL, schema.BuiltinOperator.DEQUANTIZE)
    model.operatorCodes, graph.tensors, graph.operators = [], [], []
    for code in codes:
        entry = schema.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = 2
        model.operatorCodes.append(entry)
    for scale in (*scales, None):
        tensor = schema.TensorT()
        tensor.shape = np.array([1 << 16], np.int32)
        tensor.type = schema.TensorType.FLOAT32 if scale is None else schema.TensorType.INT8
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.array([scale], np.float32)
            tensor.quantization.zeroPoint = np.array([0], np.int64)
        graph.tensors.append(tensor)
    for index, tensors in enumerate((([0, 1], [2]), ([2], [3]))):
        operator = schema.OperatorT()
        operator.opcodeIndex = index
        operator.inputs, operator.outputs = (np.array(some, np.int32) for some in tensors)
        graph.operators.append(operator)
    graph.operators[0].builtinOptionsType = schema.BuiltinOptions.MulOptions
    graph.operators[0].builtinOptions = schema.MulOptionsT()
    graph.inputs = np.array([0, 1] if constant is None else [0], np.int32)
    if constant is not None:
        model.buffers.append(schema.BufferT())
        model.buffers[1].data = np.resize(constant, 1 << 16).view(np.uint8)
        graph.tensors[1].buffer = 1
    graph.outputs = np.array([3, 2] if bound else [3], np.int32)
    return flatbuffer.pack(model, 4096)


def products(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Of all pairs of int8 values, as TFLite and as TFLM compute them, in steps of the output."""
    values = np.arange(-128, 128, dtype=np.int8)
    pairs = [np.repeat(values, 256), np.tile(values, 256)]
    here = kernels.interpreter(content, reference=True)
    there = runtime.Interpreter.from_bytes(content, arena_size=1 << 21)
    for number, (details, operand) in enumerate(zip(here.get_input_details(), pairs, strict=True)):
        here.set_tensor(details["index"], operand)
        there.set_input(operand, number)
    here.invoke()
    there.invoke()
    scale = scales_of(content)[2]
    found = here.get_tensor(here.get_output_details()[0]["index"])
    return np.rint(found / scale), np.rint(there.get_output(0) / scale)


def scales_of(content: bytes) -> list[np.float32]:
    """Of the two and of the product."""
    tensors = flatbuffer.read_model(content).subgraphs[0].tensors[:3]
    return [np.float32(tensor.quantization.scale[0]) for tensor in tensors]


def disagreeing() -> bytes:
    """With scales of which one product in 65,536, at least, comes out otherwise."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        # Of scales in simple ratios products lie on ties, which the last bits of a factor decide.
        scales = np.float32(rng.uniform(0.005, 0.02)) * np.float32([1, 1, rng.integers(2, 90)])
        scales[1] = np.float32(1) / np.float32(rng.integers(50, 300))
        scales[2] = np.float32(scales[0] * scales[1] * np.float32(rng.integers(20, 100) * 2))
        content = multiplication(scales)
        here, there = products(content)
        if (here != there).any():
            return content
    pytest.fail("TFLite and TFLM agree on all: nothing to see here")


def test_all_products_are_the_same_afterwards() -> None:
    before = disagreeing()
    after = rewrites.agree_mul_scales(before)
    np.testing.assert_array_equal(*products(after))
    assert 0 < abs(scales_of(after)[2] / scales_of(before)[2] - 1) < 1e-4
    assert rewrites.agree_mul_scales(after) is after


@pytest.mark.parametrize("one", [np.float32(1 / 256), np.float32(1 / 128)])
def test_a_scale_is_found_for_any_product_with_a_sigmoid_or_a_tanh(one: np.float32) -> None:
    rng = np.random.default_rng(1)
    for other, made in np.float32(rng.uniform(1e-4, 0.5, (200, 2))):
        found = rewrites.agreeing_scale(one, other, made)
        assert found is not None and abs(found / made - 1) < 1e-4
        bits, exponent = rewrites.fixed_point(float(one) * float(other) / float(found))
        assert bits * 2.0 ** (exponent - 31) == np.float32(np.float32(one * other) / found)


def test_a_constants_scale_moves_along_where_none_is_found_otherwise() -> None:
    rng = np.random.default_rng(1)
    scales = np.float32(rng.uniform(1e-4, 0.5, (60, 3)))
    hard = [some for some in scales if rewrites.agreeing_scale(*some) is None]
    assert hard
    for some in hard:
        content = multiplication(some)
        assert rewrites.agree_mul_scales(content) is content  # nothing is constant
        after = rewrites.agree_mul_scales(
            multiplication(some, constant=np.arange(-127, 128, dtype=np.int8))
        )
        moved = scales_of(after)
        assert moved[0] == some[0] and 0 < abs(moved[1] / some[1] - 1) < 1e-6
        assert rewrites.agreeing_scale(*moved) == moved[2]


def test_a_product_that_goes_on_with_the_same_scale_is_left_alone() -> None:
    content = multiplication(SCALES, bound=True)
    assert rewrites.agree_mul_scales(content) is content
