"""A `.tflite` file as the schema's objects, which can be changed and written again."""

import copy
import functools
import itertools
from typing import Any

import numpy as np

from kws.errors import KwsError


def read(content: bytes) -> Any:
    """A `ModelT` of the schema's Python classes; `slim.pack` writes one.

    Raises:
      KwsError: the bytes are no TFLite model.
    """
    if content[4:8] != b"TFL3":
        raise KwsError(f"{len(content)} bytes without the mark TFL3 are no TFLite model")
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def name(model: Any, operator: Any) -> str:
    """An operator's name in the schema."""
    code = model.operatorCodes[operator.opcodeIndex]
    # Codes below 127 stand in the deprecated field, later ones in the new field.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    return _names().get(number, f"BUILTIN_{number}")


@functools.cache
def _names() -> dict[int, str]:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    codes = vars(schema.BuiltinOperator).items()
    return {code: name for name, code in codes if name.isupper()}


def constant(model: Any, tensor: Any, dtype: type) -> np.ndarray | None:
    """What a tensor of the file holds, flat; None where it is computed."""
    data = model.buffers[tensor.buffer].data
    return None if data is None or not len(data) else np.frombuffer(bytes(data), dtype)


def part(model: Any, operators: list[Any], inputs: list[int], outputs: list[int]) -> Any:
    """A model of some of the first graph's operators; tensors keep their numbers."""
    made = copy.deepcopy(model)
    made.signatureDefs = None  # it names inputs and outputs of the whole
    graph, given = made.subgraphs[0], model.subgraphs[0].operators
    kept = [any(operator is one for one in operators) for operator in given]
    graph.operators = list(itertools.compress(graph.operators, kept))
    graph.inputs, graph.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
    return made


def drop_unused(model: Any) -> None:
    """Takes out the first graph's tensors that no operator has, and the content of their buffers.

    TensorFlow Lite Micro would plan memory for them.
    """
    graph = model.subgraphs[0]
    lists = [(op, field) for op in graph.operators for field in ("inputs", "outputs")]
    lists += [(graph, "inputs"), (graph, "outputs")]
    used = sorted({int(i) for owner, field in lists for i in _indices(owner, field) if i >= 0})
    moved = {old: new for new, old in enumerate(used)} | {-1: -1}
    graph.tensors = [graph.tensors[index] for index in used]
    for owner, field in lists:
        numbers = [moved[int(index)] for index in _indices(owner, field)]
        setattr(owner, field, np.array(numbers, np.int32))
    for signature in model.signatureDefs or ():
        for entry in (*signature.inputs, *signature.outputs):
            entry.tensorIndex = moved[entry.tensorIndex]
    kept = {tensor.buffer for one in model.subgraphs for tensor in one.tensors}
    kept |= {entry.buffer for entry in model.metadata or ()}
    for index, buffer in enumerate(model.buffers):
        if index not in kept:
            buffer.data = None


def _indices(owner: Any, field: str) -> Any:
    values = getattr(owner, field)
    return () if values is None else values


def zero_point(tensor: Any) -> int:
    """Of a tensor that is quantized as one, 0 where the file has none."""
    given = tensor.quantization.zeroPoint
    return 0 if given is None or not len(given) else int(given[0])
