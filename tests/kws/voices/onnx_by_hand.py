"""A network with a Piper voice's inputs and output, as bytes of ONNX's protocol buffer.

Each phoneme number n sounds for 0.1 s with (100 + 20 n) Hz at 16 kHz: what was fed can be heard.
Field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

import numpy as np

RATE = 16000
SEGMENT = 1600
SYMBOLS = 64
_FLOAT, _INT64 = 1, 7


def piper_like(speakers: int = 1) -> bytes:
    """ModelProto of: output[1, 1, 1, samples] = table[input[0, i]] one after the other."""
    time = np.arange(SEGMENT) / RATE
    tones = [0.3 * np.sin(2 * np.pi * (100 + 20 * n) * time) for n in range(SYMBOLS)]
    table = np.asarray(tones, np.float32)
    shape = np.asarray([1, 1, 1, -1], np.int64)
    nodes = _node("Gather", ["table", "input"], "rows") + _node(
        "Reshape", ["rows", "shape"], "output"
    )
    inputs = [("input", _INT64, 2), ("input_lengths", _INT64, 1), ("scales", _FLOAT, 1)]
    if speakers > 1:
        inputs.append(("sid", _INT64, 1))
    graph = (
        nodes
        + _text(2, "voice")
        + _field(5, _tensor("table", table, _FLOAT))
        + _field(5, _tensor("shape", shape, _INT64))
        + b"".join(_field(11, _value(*item)) for item in inputs)
        + _field(12, _value("output", _FLOAT, 4))
    )
    return _number(1, 8) + _field(8, _text(1, "") + _number(2, 13)) + _field(7, graph)


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, content: str) -> bytes:
    return _field(field, content.encode())


def _node(kind: str, inputs: list[str], output: str) -> bytes:
    names = b"".join(_text(1, name) for name in inputs)
    return _field(1, names + _text(2, output) + _text(4, kind))


def _tensor(name: str, values: np.ndarray, kind: int) -> bytes:
    dims = b"".join(_number(1, size) for size in values.shape)
    return dims + _number(2, kind) + _text(8, name) + _field(9, values.tobytes())


def _value(name: str, kind: int, rank: int) -> bytes:
    dims = b"".join(_field(1, _text(2, f"{name}{axis}")) for axis in range(rank))
    return _text(1, name) + _field(2, _field(1, _number(1, kind) + _field(2, dims)))
