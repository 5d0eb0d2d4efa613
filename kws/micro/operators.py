"""Which operators a TFLite file asks of the device."""

import collections
from collections.abc import Iterator
from typing import Any, NamedTuple

from kws.errors import KwsError


def variables(content: bytes) -> int:
    """How many variables the file keeps its state in: as many as a device must make room for."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    options = (op.builtinOptions for graph in model.subgraphs for op in graph.operators or ())
    names = {
        (o.container, o.sharedName) for o in options if isinstance(o, schema.VarHandleOptionsT)
    }
    return len(names)


def count(content: bytes) -> dict[str, int]:
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
      graph, operator: the schema's objects.
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
