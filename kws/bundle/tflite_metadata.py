"""TFLite metadata in the float-I/O file: what a phone's program must know lies in the model itself.

A flatbuffer "M001" (tensorflow/tflite-support, `metadata_schema.fbs`) in the model's metadata entry
TFLITE_METADATA names the tensors, the normalization of the input and the file of labels; that file
is appended to the model as an uncompressed zip archive, which TFLite does not mind. No package in
use here writes it, so the few tables that are needed are written field by field, by their numbers
in the schema.
"""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from kws.features import model_input
from kws.features.params import FeatureParams

ENTRY = "TFLITE_METADATA"
LABELS_FILE = "labels.txt"
_IDENTIFIER = b"M001"
_PARSER_VERSION = "1.0.0"
_AXIS_LABELS = 2  # AssociatedFileType.TENSOR_AXIS_LABELS
_FEATURE_PROPERTIES = 1  # ContentProperties
_NORMALIZATION_OPTIONS = 1  # ProcessUnitOptions
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of files in the archive, so that the same model gives the same bytes."""


def add(
    content: bytes,
    *,
    name: str,
    version: str,
    description: str,
    licence: str,
    labels: Sequence[str],
    feature_params: FeatureParams,
) -> bytes:
    """The bytes of the model with metadata and labels.

    Args:
      content: of a `.tflite` file with float input and output.
      name: of the model, for a person.
      version: of the model.
      description: what it does, for a person.
      licence: of the model.
      labels: in the order of the outputs.
      feature_params: what the input is made with; it is `(feature - 0) / std` of the metadata's
        normalization, std being 25.6 for the micro frontend.
    """
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    from kws.export import flatbuffer

    described = _metadata(name, version, description, licence, feature_params)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(described, np.uint8)
    entry.name, entry.buffer = ENTRY, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    return _with_file(flatbuffer.pack(model, len(content)), LABELS_FILE, "\n".join(labels) + "\n")


def _metadata(
    name: str, version: str, description: str, licence: str, features: FeatureParams
) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    write = _Tables(builder)
    frames, channels = features.feature_shape
    sound = (
        f"{features.frontend} features of {features.sample_rate} Hz sound: windows of "
        f"{features.window_size_ms} ms every {features.window_stride_ms} ms, {channels} channels; "
        f"a clip is {frames} frames. {model_input.input_scale_description(features)}. "
        "All parameters: frontend.json."
    )
    std = 1 / model_input.input_scale(features)
    normalization = write.table({0: write.floats([0.0]), 1: write.floats([std])})
    unit = write.table({1: normalization}, bytes_={0: _NORMALIZATION_OPTIONS})
    source = write.table(
        {
            0: write.string("features"),
            1: write.string(sound),
            3: _content(write),
            4: write.tables([unit]),
        }
    )
    labels = write.table(
        {0: write.string(LABELS_FILE), 1: write.string("names of the outputs, in order")},
        bytes_={2: _AXIS_LABELS},
    )
    sink = write.table(
        {
            0: write.string("probability"),
            1: write.string("posterior of each label"),
            3: _content(write),
            5: write.table({0: write.floats([1.0]), 1: write.floats([0.0])}),
            6: write.tables([labels]),
        }
    )
    graph = write.table({2: write.tables([source]), 3: write.tables([sink])})
    root = write.table(
        {
            0: write.string(name),
            1: write.string(description),
            2: write.string(version),
            3: write.tables([graph]),
            5: write.string(licence),
            7: write.string(_PARSER_VERSION),
        }
    )
    builder.Finish(root, _IDENTIFIER)
    return bytes(builder.Output())


def _content(write: "_Tables") -> int:
    return write.table({1: write.table({})}, bytes_={0: _FEATURE_PROPERTIES})


class _Tables:
    """Writes tables whose fields are known by their numbers."""

    def __init__(self, builder: Any):
        self._builder = builder

    def string(self, text: str) -> int:
        return self._builder.CreateString(text)

    def floats(self, values: Sequence[float]) -> int:
        return self._builder.CreateNumpyVector(np.asarray(values, np.float32))

    def tables(self, offsets: Sequence[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return self._builder.EndVector()

    def table(self, offsets: dict[int, int], bytes_: dict[int, int] | None = None) -> int:
        numbers = [*offsets, *(bytes_ or {})]
        self._builder.StartObject(max(numbers, default=-1) + 1)
        for number, offset in offsets.items():
            self._builder.PrependUOffsetTRelativeSlot(number, offset, 0)
        for number, value in (bytes_ or {}).items():
            self._builder.PrependInt8Slot(number, value, 0)
        return self._builder.EndObject()


def _with_file(content: bytes, name: str, text: str) -> bytes:
    packed = io.BytesIO(content)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(name, _EPOCH), text.encode())
    return packed.getvalue()
