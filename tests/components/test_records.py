"""Records in Beam: what TFX reads, the same bytes whatever the number of workers."""

from pathlib import Path

import apache_beam as beam
import numpy as np
import tensorflow as tf
from apache_beam.testing.util import assert_that, equal_to

from components.records import MixRecords, ReadRecords, WriteRecords, list_files

THREADS = ["--direct_running_mode=multi_threading", "--direct_num_workers=3"]


def noise(number: int) -> bytes:
    return np.random.default_rng(number).integers(-3000, 3000, 1000, np.int16).tobytes()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def read(folder: Path) -> list[list[bytes]]:
    """The records of each file, by TensorFlow."""
    return [
        [record.numpy() for record in tf.data.TFRecordDataset(str(path), compression_type="GZIP")]
        for path in sorted(folder.iterdir())
    ]


def test_what_is_written_is_read_by_tensorflow_and_by_beam(tmp_path):
    records = [noise(number) for number in range(50)]
    with beam.Pipeline() as pipeline:
        placed = pipeline | beam.Create([(0, record) for record in records], reshuffle=False)
        placed | WriteRecords(str(tmp_path / "data_tfrecord"), audio=True)
    (file,) = tmp_path.iterdir()
    assert file.name == "data_tfrecord-00000-of-00001.gz"
    assert file.read_bytes()[:2] == b"\x1f\x8b"
    assert read(tmp_path) == [records]
    with beam.Pipeline() as pipeline:
        again = pipeline | beam.io.ReadFromTFRecord(str(tmp_path / "data_tfrecord*.gz"))
        assert_that(again, equal_to(records))


def test_a_place_has_files_of_its_own_and_another_where_one_is_full(tmp_path):
    records = [noise(number) for number in range(7)]
    places = [3, 3, 3, 0, 0, 1, 1]
    with beam.Pipeline() as pipeline:
        placed = pipeline | beam.Create(list(zip(places, records, strict=True)), reshuffle=False)
        # A record has 2,000 bytes: two fill a file.
        placed | WriteRecords(str(tmp_path / "d"), audio=True, file_bytes=3000)
    assert read(tmp_path) == [records[3:5], records[5:7], records[0:2], records[2:3]]


def test_no_record_is_an_empty_file_not_none(tmp_path):
    with beam.Pipeline() as pipeline:
        none = pipeline | beam.Create([], reshuffle=False)
        none | WriteRecords(str(tmp_path / "data"))
    assert [file.name for file in tmp_path.iterdir()] == ["data-00000-of-00001.gz"]
    assert read(tmp_path) == [[]]


def test_files_that_workers_copied_side_by_side_are_those_of_one_worker(tmp_path):
    with beam.Pipeline() as pipeline:
        placed = [(number // 4, noise(number)) for number in range(20)]
        pipeline | beam.Create(placed, reshuffle=False) | WriteRecords(str(tmp_path / "in/d"))
    files = list_files([str(tmp_path / "in/*")])
    assert len(files) == 5
    for name, flags in (("alone", []), ("threads", THREADS)):
        with beam.Pipeline(argv=flags) as pipeline:
            pipeline | ReadRecords(files) | WriteRecords(str(tmp_path / name / "d"))
    assert read(tmp_path / "alone") == read(tmp_path / "in")
    assert contents(tmp_path / "threads") == contents(tmp_path / "alone")


def test_mixed_records_come_in_one_order_from_any_order_and_workers(tmp_path):
    records = [noise(number) for number in range(40)]
    for name, given, flags in (
        ("alone", records, []),
        ("threads", records, THREADS),
        ("backwards", records[::-1], []),
    ):
        with beam.Pipeline(argv=flags) as pipeline:
            placed = pipeline | beam.Create(given) | MixRecords(3)
            placed | WriteRecords(str(tmp_path / name / "d"))
    expected = contents(tmp_path / "alone")
    assert len(expected) == 3
    assert contents(tmp_path / "threads") == expected
    assert contents(tmp_path / "backwards") == expected
    mixed = [record for file in read(tmp_path / "alone") for record in file]
    assert sorted(mixed) == sorted(records)
    assert mixed not in (records, sorted(records))
