"""A windowed file run in two parts: convolutions by fast kernels, its last layers by plain ones.

TFLite's optimized SOFTMAX looks its exponentials up in a table of floats and is a step away from
TFLM's in one of some 100,000 values: too seldom to be seen in a trial, often enough to move a
posterior in an hour of sound. The last layers are small, so the file is cut before them and the
rest runs on the plain kernels, which are TFLM's. Of the cut file's tensors all keep their numbers.
"""

from typing import Any

import numpy as np

from kws.micro import objects, slim

_LAST = {"FULLY_CONNECTED", "SOFTMAX", "LOGISTIC", "RESHAPE", "QUANTIZE", "DEQUANTIZE"}


class TwoPartInterpreter:
    """Two interpreters, used as the one of the whole file is."""

    def __init__(self, first: Any, second: Any):
        self._first, self._second = first, second
        self._handed = int(second.get_input_details()[0]["index"])

    def allocate_tensors(self) -> None:
        self._first.allocate_tensors()
        self._second.allocate_tensors()

    def get_input_details(self) -> list[dict[str, Any]]:
        return self._first.get_input_details()

    def get_output_details(self) -> list[dict[str, Any]]:
        return self._second.get_output_details()

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        self._first.set_tensor(index, value)

    def invoke(self) -> None:
        self._first.invoke()
        self._second.set_tensor(self._handed, self._first.get_tensor(self._handed))
        self._second.invoke()

    def get_tensor(self, index: int) -> np.ndarray:
        """An output of the file."""
        return self._second.get_tensor(index)


def cut(content: bytes) -> tuple[bytes, bytes] | None:
    """The file before its last layers, and these.

    None where it cannot be cut so: it ends otherwise, consists of such layers alone, has more than
    one graph, or more than one tensor would have to be handed over.
    """
    model = objects.read(content)
    if len(model.subgraphs) != 1:
        return None
    names = [objects.name(model, operator) for operator in model.subgraphs[0].operators]
    first = len(names)
    while first and names[first - 1] in _LAST:
        first -= 1
    if not 0 < first < len(names):
        return None
    graph = model.subgraphs[0]
    before, after = graph.operators[:first], graph.operators[first:]
    made = {int(tensor) for operator in before for tensor in operator.outputs}
    handed = [int(tensor) for operator in after for tensor in operator.inputs if tensor in made]
    if len(set(handed)) != 1:
        return None
    parts = (
        objects.part(model, before, list(graph.inputs), handed[:1]),
        objects.part(model, after, handed[:1], list(graph.outputs)),
    )
    return slim.pack(parts[0], len(content)), slim.pack(parts[1], len(content))
