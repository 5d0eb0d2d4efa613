"""Reads, counts and rewrites `.tflite` files as the objects of their FlatBuffer schema.

It counts what a file asks of a device: its operators, its multiply-accumulates (as
`kws.models.cost` does for a Keras model) and the values it computes element by element. For a
network whose state is zero at the start of every window (a GRU) the file has slightly fewer
multiply-accumulates, because the converter drops products with that zero.

`slim` writes the same model in fewer bytes. A converted file has a name for each of its hundred
tensors and an eight-byte zero point, always zero, for each channel of a kernel; a stateful file
has twice as many small tensors as a windowed one. FlatBuffers can point to one vector from
several places, so equal vectors, strings and quantization tables are written only once.
Operators, weights, quantization and tensor order do not change.
"""

import collections
import copy
import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from kws.errors import KwsError


def read_model(content: bytes) -> Any:
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


_TENSOR_ALIGNMENT = 16
"""Of weights, as the schema asks (force_align): a device reads int32 biases where they lie."""


def slim(content: bytes) -> bytes:
    """The bytes of a `.tflite` file, written anew.

    Names of tensors inside are dropped; inputs and outputs keep theirs, and so do variables.

    Raises:
      KwsError: the bytes are no TFLite model.
    """
    return slim_model(read_model(content), len(content))


def slim_model(model: Any, size: int) -> bytes:
    """`slim` of a model that was read, see `pack`."""
    _drop_names(model)
    _share_empty_buffers(model)
    return pack(model, size)


def pack(model: Any, size: int) -> bytes:
    """The bytes of a file, with whatever is equal written once.

    Args:
      model: a `ModelT` of the schema's Python classes; is changed.
      size: about how long the file will be.
    """
    builder = _sharing_builder(size)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if tensor.quantization is not None:
                tensor.quantization = _Once(tensor.quantization)
        for operator in graph.operators:
            if operator.builtinOptions is not None and not hasattr(
                operator.builtinOptions, "sharedName"
            ):
                operator.builtinOptions = _Once(operator.builtinOptions)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _drop_names(model: Any) -> None:
    for number, graph in enumerate(model.subgraphs):
        kept = {*graph.inputs, *graph.outputs} if number == 0 else set()
        for index, tensor in enumerate(graph.tensors):
            if index not in kept:
                tensor.name = None


def _share_empty_buffers(model: Any) -> None:
    """Buffer 0 is the one that TFLite reserves for tensors without content."""
    if model.buffers[0].data is not None and len(model.buffers[0].data):
        return
    named = {entry.buffer for entry in model.metadata or ()} | set(model.metadataBuffer or ())
    kept = [0]
    for index, buffer in enumerate(model.buffers[1:], start=1):
        if index in named or (buffer.data is not None and len(buffer.data)) or buffer.size:
            kept.append(index)
    moved = {old: new for new, old in enumerate(kept)}
    model.buffers = [model.buffers[index] for index in kept]
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer = moved.get(tensor.buffer, 0)
    for entry in model.metadata or ():
        entry.buffer = moved[entry.buffer]


class _Once:
    """A table of scalars and vectors that is packed once for all that are equal."""

    def __init__(self, table: Any):
        self._table = table

    def Pack(self, builder: Any) -> int:
        fields = tuple(sorted((name, _plain(value)) for name, value in vars(self._table).items()))
        key = (type(self._table).__name__, fields)
        if key not in builder.tables:
            builder.tables[key] = self._table.Pack(builder)
        return builder.tables[key]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.tobytes())
    return value


def _sharing_builder(size: int) -> Any:
    import flatbuffers

    class SharingBuilder(flatbuffers.Builder):
        """Writes equal vectors and strings once; the names are those of the class it extends."""

        def __init__(self, initial_size: int):
            super().__init__(initial_size)
            self.vectors: dict[Any, int] = {}
            self.tables: dict[Any, int] = {}

        def CreateNumpyVector(self, x: np.ndarray) -> int:
            key = _plain(x)
            if key not in self.vectors:
                # The generated code knows nothing of the schema's force_align for weights.
                alignment = _TENSOR_ALIGNMENT if x.dtype == np.uint8 else x.dtype.alignment
                payload = x.astype(x.dtype.newbyteorder("<")).tobytes()
                self.StartVector(x.itemsize, x.size, alignment)
                self.head -= len(payload)
                self.Bytes[self.head : self.head + len(payload)] = payload
                self.vectors[key] = self.EndVector()
            return self.vectors[key]

        def CreateString(self, s: Any, *args: Any, **kwargs: Any) -> int:
            if s not in self.vectors:
                self.vectors[s] = super().CreateString(s, *args, **kwargs)
            return self.vectors[s]

    return SharingBuilder(size)


def variables(content: bytes) -> int:
    """How many variables the file keeps its state in: as many as a device must make room for."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    options = (op.builtinOptions for graph in model.subgraphs for op in graph.operators or ())
    names = {
        (o.container, o.sharedName) for o in options if isinstance(o, schema.VarHandleOptionsT)
    }
    return len(names)


def count_operators(content: bytes) -> dict[str, int]:
    """How often each operator occurs in the file, by its name in the TFLite schema, sorted.

    A custom operator is named `CUSTOM:<name>`.

    Raises:
      KwsError: the bytes are no TFLite model.
    """
    found = collections.Counter(use.name for use in uses(content))
    return dict(sorted(found.items()))


class Use(NamedTuple):
    """One operator where it is used.

    Attributes:
      name: in the TFLite schema; a custom one is `CUSTOM:<name>`.
      subgraph: number of its graph: the first is what an inference runs, a second one sets a
        streaming model's first state.
      graph: the schema's object of its graph.
      operator: the schema's object of the operator.
    """

    name: str
    subgraph: int
    graph: Any
    operator: Any

    def inputs(self, number: int) -> list[int]:
        """Shape of an input."""
        return self._shape(self.operator.Inputs(number))

    def outputs(self) -> list[list[int]]:
        """Shapes of all outputs."""
        return [self._shape(tensor) for tensor in self.operator.OutputsAsNumpy()]

    def _shape(self, tensor: int) -> list[int]:
        shape = self.graph.Tensors(tensor).ShapeAsNumpy()
        return [] if isinstance(shape, int) else [int(size) for size in shape]  # 0: a scalar


def uses(content: bytes) -> Iterator[Use]:
    """Every operator of every graph, in the file's order.

    Raises:
      KwsError: the bytes are no TFLite model.
    """
    if content[4:8] != b"TFL3":
        raise KwsError(f"{len(content)} bytes without the mark TFL3 are no TFLite model")
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    model = schema.Model.GetRootAsModel(content, 0)
    for subgraph in range(model.SubgraphsLength()):
        graph = model.Subgraphs(subgraph)
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            code = model.OperatorCodes(operator.OpcodeIndex())
            # Codes below 127 stand in the deprecated field, later ones in the new field.
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            name = names.get(number, f"BUILTIN_{number}")
            if name == "CUSTOM":
                name = f"CUSTOM:{code.CustomCode().decode()}"
            yield Use(name, subgraph, graph, operator)


_MULTIPLY = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "SVDF"}
"""Counted by `kws.export.flatbuffer`."""
_COPY = {
    "ASSIGN_VARIABLE", "CALL_ONCE", "CONCATENATION", "EXPAND_DIMS", "PACK", "READ_VARIABLE",
    "RESHAPE", "SQUEEZE", "VAR_HANDLE",
}  # fmt: skip
"""They move blocks of bytes or nothing at all."""
_REDUCE = {"AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "SUM"}
"""Their work is that of their inputs."""


def count_elementwise(content: bytes) -> int:
    """Outputs of all other operators of the first graph; of pooling, its inputs.

    Raises:
      KwsError: the bytes are no TFLite model.
    """
    total = 0
    for use in uses(content):
        if use.subgraph or use.name in _MULTIPLY or use.name in _COPY:
            continue
        shapes = [use.inputs(0)] if use.name in _REDUCE else use.outputs()
        total += sum(math.prod(shape) for shape in shapes)
    return total


_COUNTED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "SVDF"}
_UNCOUNTED = {"BATCH_MATMUL", "CONV_3D", "UNIDIRECTIONAL_SEQUENCE_LSTM", "WHILE"}
"""They multiply and accumulate, no architecture of the zoo has them, and no rule is here."""


def count_macs(content: bytes) -> int:
    """Multiply-accumulates of one inference: a window's, or a step's.

    Convolutions and fully connected layers count kernel values used per output value times output
    values; operators element by element, pooling and softmax count nothing, by convention.

    Raises:
      KwsError: the bytes are no TFLite model, or an operator cannot be counted.
    """
    total = 0
    for use in uses(content):
        if use.name in _UNCOUNTED:
            raise KwsError(f"{use.name} has multiply-accumulates that cannot be counted")
        if not use.subgraph:
            total += _of_use(use)
    return total


def _of_use(use: Use) -> int:
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
