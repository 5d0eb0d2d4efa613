"""The same TFLite model in fewer bytes: what is written several times is written once.

A converted file spends much on what says nothing. For each of its hundred tensors it holds a name,
and for each channel of a kernel a zero point of eight bytes that is always zero; a stateful file
has twice as many small tensors as a windowed one. FlatBuffers may point to one vector from many
places, so equal vectors, strings and quantization tables need to be there only once. Nothing
that a device reads changes: operators, weights, quantization and the order of tensors stay.
"""

from typing import Any

import numpy as np

from kws.micro import objects

_TENSOR_ALIGNMENT = 16
"""Of weights, as the schema asks (force_align): a device reads int32 biases where they lie."""


def slim(content: bytes) -> bytes:
    """The bytes of a `.tflite` file, written anew.

    Names of tensors inside are dropped; inputs and outputs keep theirs, and so do variables.

    Raises:
      KwsError: the bytes are no TFLite model.
    """
    return slim_model(objects.read(content), len(content))


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
