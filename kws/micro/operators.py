"""Which operators a TFLite file asks of the device."""

import collections

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
    if content[4:8] != b"TFL3":
        raise KwsError(f"{len(content)} bytes without the mark TFL3 are no TFLite model")
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    model = schema.Model.GetRootAsModel(content, 0)
    found: collections.Counter[str] = collections.Counter()
    for graph_index in range(model.SubgraphsLength()):
        graph = model.Subgraphs(graph_index)
        for index in range(graph.OperatorsLength()):
            code = model.OperatorCodes(graph.Operators(index).OpcodeIndex())
            # Codes below 127 stand in the deprecated field, later ones in the new field.
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            name = names.get(number, f"BUILTIN_{number}")
            if name == "CUSTOM":
                name = f"CUSTOM:{code.CustomCode().decode()}"
            found[name] += 1
    return dict(sorted(found.items()))
