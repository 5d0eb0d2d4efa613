"""A streaming file, cut after the layers that hear its last few frames only; see `leading_part`."""

import collections
import dataclasses
from typing import Any

import numpy as np

from kws.micro import objects, sign_split, slim

BATCH = 32
"""Steps that the layers take at once."""
_LAYERS = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cut:
    """A file before and after its first layers.

    Attributes:
      one, many: the layers, from the frames of one step and of 32.
      rest: all else; its input is what they make.
      heard: int8 `[frames, channels]`, the memory at the beginning of a stream.
      made: number of the tensor that is handed over.
    """

    one: bytes
    many: bytes
    rest: bytes
    heard: np.ndarray
    made: int


def cut(content: bytes) -> Cut | None:
    """None where a file does not begin so."""
    model = objects.read(content)
    users = _users(model)
    memory = _memory(model, users) if len(model.subgraphs) == 2 else None
    if memory is None:
        return None
    graph, layers, following = model.subgraphs[0], [], [memory.layer]
    while len(following) == 1 and objects.name(model, following[0]) in _LAYERS:
        layers += following
        made = int(layers[-1].outputs[0])
        following = users[made]
    batched = [memory.joined, *(int(layer.outputs[0]) for layer in layers)]
    alone = all(graph.tensors[tensor].shape[0] == 1 for tensor in batched)
    if not layers or not following or not alone:
        return None
    one, many = (objects.part(model, layers, [memory.joined], [made]) for _ in range(2))
    for part in (one, many):
        del part.subgraphs[1:]  # which sets memories, and there are none here
    for tensor in batched:
        shape = many.subgraphs[0].tensors[tensor].shape
        many.subgraphs[0].tensors[tensor].shape = np.array([BATCH, *shape[1:]], np.int32)
    gone = [*memory.operators, *layers]
    rest = [op for op in graph.operators if not any(op is one_gone for one_gone in gone)]
    size = len(content)
    return Cut(
        one=slim.pack(one, size),
        many=sign_split.split(slim.pack(many, size)),
        rest=slim.pack(objects.part(model, rest, [made], list(graph.outputs)), size),
        heard=memory.heard,
        made=made,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Memory:
    """Where a file remembers its last frames: the operators, what they join, and who takes that."""

    operators: list[Any]
    joined: int
    layer: Any
    heard: np.ndarray


def _memory(model: Any, users: dict[int, list[Any]]) -> _Memory | None:
    """READ_VARIABLE, CONCATENATION with the input, STRIDED_SLICE and ASSIGN_VARIABLE."""

    def named(operators: list[Any], *names: str) -> bool:
        return [objects.name(model, operator) for operator in operators] == [*names]

    graph = model.subgraphs[0]
    frames, operators = int(graph.inputs[0]), []
    if named(users[frames], "RESHAPE"):
        operators += users[frames]
        frames = int(operators[0].outputs[0])
    if not named(users[frames], "CONCATENATION"):
        return None
    (concatenation,) = users[frames]
    past, joined = int(concatenation.inputs[0]), int(concatenation.outputs[0])
    reads = [op for op in graph.operators if op.outputs is not None and past in op.outputs]
    takers = sorted(users[joined], key=lambda op: objects.name(model, op) in _LAYERS)
    if not named(reads, "READ_VARIABLE") or len(takers) != 2:
        return None
    kept, layer = takers
    writes = users[int(kept.outputs[0])]
    heard = _first_value(model, int(reads[0].inputs[0]))
    if not (named([kept], "STRIDED_SLICE") and named(writes, "ASSIGN_VARIABLE")) or heard is None:
        return None
    return _Memory(
        operators=[*operators, concatenation, *reads, kept, *writes],
        joined=joined,
        layer=layer,
        heard=heard.reshape(graph.tensors[past].shape[1], -1),
    )


def _users(model: Any) -> dict[int, list[Any]]:
    """Tensor -> operators of the first graph that take it, each once."""
    users: dict[int, list[Any]] = collections.defaultdict(list)
    for operator in model.subgraphs[0].operators:
        for tensor in set() if operator.inputs is None else {int(t) for t in operator.inputs}:
            users[tensor].append(operator)
    return users


def _first_value(model: Any, handle: int) -> np.ndarray | None:
    """What a variable holds at the beginning, flat: the file's second graph sets it."""

    def variables(graph: Any) -> dict[int, tuple]:
        made = (op for op in graph.operators if objects.name(model, op) == "VAR_HANDLE")
        options = ((int(op.outputs[0]), op.builtinOptions) for op in made)
        return {tensor: (o.container, o.sharedName) for tensor, o in options}

    wanted = variables(model.subgraphs[0]).get(handle)
    graph = model.subgraphs[1]
    names = variables(graph)
    for operator in graph.operators:
        if objects.name(model, operator) != "ASSIGN_VARIABLE":
            continue
        target, value = (int(tensor) for tensor in operator.inputs)
        if names.get(target) == wanted:
            return objects.constant(model, graph.tensors[value], np.int8)
    return None
