"""The float-I/O file's metadata, read by the numbers of tflite-support's schema, and by zip."""

import io
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from flatbuffers import number_types, table

from kws.bundle import publishing, tflite_metadata
from kws.features.params import FeatureParams
from tests.kws.runtime.conftest import FEATURE_PARAMS, LABELS, Trial


class Table:
    """A flatbuffer's table, field by field."""

    def __init__(self, data: bytes, position: int):
        self._table = table.Table(bytearray(data), position)
        self._data = data

    @classmethod
    def root(cls, data: bytes) -> "Table":
        return cls(data, int.from_bytes(data[:4], "little"))

    def text(self, number: int) -> str:
        return self._table.String(self._at(number)).decode()

    def byte(self, number: int) -> int:
        return self._table.Get(number_types.Int8Flags, self._at(number))

    def floats(self, number: int) -> list[float]:
        values = self._table.GetVectorAsNumpy(number_types.Float32Flags, self._field(number))
        return values.tolist()

    def table(self, number: int) -> "Table":
        return Table(self._data, self._table.Indirect(self._at(number)))

    def tables(self, number: int) -> list["Table"]:
        start, count = (
            self._table.Vector(self._field(number)),
            self._table.VectorLen(self._field(number)),
        )
        return [Table(self._data, self._table.Indirect(start + 4 * row)) for row in range(count)]

    def _field(self, number: int) -> int:
        field = self._table.Offset(4 + 2 * number)
        assert field, f"field {number} is missing"
        return field

    def _at(self, number: int) -> int:
        return self._table.Pos + self._field(number)


def metadata_of(content: bytes) -> bytes:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(content, 0)
    entries = {model.Metadata(n).Name(): model.Metadata(n) for n in range(model.MetadataLength())}
    return model.Buffers(entries[b"TFLITE_METADATA"].Buffer()).DataAsNumpy().tobytes()


@pytest.fixture
def described(trial: Trial) -> bytes:
    return tflite_metadata.add(
        trial.conversion.float_io,
        name="two words",
        version="17",
        description="yes or no",
        licence="CC BY 4.0",
        labels=LABELS,
        feature_params=FEATURE_PARAMS,
    )


def test_names_normalization_and_labels_stand_where_the_schema_puts_them(described) -> None:
    data = metadata_of(described)
    assert data[4:8] == b"M001"
    model = Table.root(data)
    assert [model.text(n) for n in (0, 1, 2, 5)] == ["two words", "yes or no", "17", "CC BY 4.0"]
    (graph,) = model.tables(3)
    (source,), (sink,) = graph.tables(2), graph.tables(3)
    assert source.text(0) == "features" and "49 frames" in source.text(1)
    assert source.table(3).byte(0) == 1  # the content is features, no image or sound
    (unit,) = source.tables(4)
    assert unit.byte(0) == 1  # normalization
    assert unit.table(1).floats(0) == [0.0]
    assert unit.table(1).floats(1) == pytest.approx([25.6])
    (labels,) = sink.tables(6)
    assert (labels.text(0), labels.byte(2)) == ("labels.txt", 2)  # labels of the axis
    assert sink.table(5).floats(0) == [1.0]


def test_the_labels_lie_in_a_zip_archive_at_the_models_end(described) -> None:
    with zipfile.ZipFile(io.BytesIO(described)) as archive:
        assert archive.testzip() is None
        assert archive.read("labels.txt").decode().splitlines() == list(LABELS)


def test_the_network_is_the_one_without_metadata(trial: Trial, described) -> None:
    features = trial.judged.features[:8] * np.float32(10 / 256)
    answers = []
    for content in (trial.conversion.float_io, described):
        interpreter = tf.lite.Interpreter(model_content=content)
        interpreter.allocate_tensors()
        (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
        rows = []
        for clip in features:
            interpreter.set_tensor(source["index"], clip[None])
            interpreter.invoke()
            rows.append(interpreter.get_tensor(sink["index"])[0])
        answers.append(np.stack(rows))
    np.testing.assert_array_equal(*answers)


def test_the_same_model_gives_the_same_bytes(trial: Trial, described) -> None:
    again = tflite_metadata.add(
        trial.conversion.float_io,
        name="two words",
        version="17",
        description="yes or no",
        licence="CC BY 4.0",
        labels=LABELS,
        feature_params=FeatureParams(),
    )
    assert again == described


def test_the_bundles_float_file_has_it(contents, tmp_path) -> None:
    folder = publishing.push(contents, tmp_path)
    content = (folder / "model_float_io.tflite").read_bytes()
    model = Table.root(metadata_of(content))
    assert model.text(0) == contents.name and model.text(5) == "none needed"
