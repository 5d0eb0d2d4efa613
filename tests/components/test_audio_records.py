"""Audio records are what TFX reads: gzip TFRecords with the usual names."""

import apache_beam as beam
import numpy as np
import tensorflow as tf
from apache_beam.testing.util import assert_that, equal_to

from components.audio_records import WriteAudioRecords


def test_what_is_written_is_read_by_tensorflow_and_by_beam(tmp_path):
    rng = np.random.default_rng(0)
    records = [rng.integers(-3000, 3000, 1000, np.int16).tobytes() for _ in range(50)]
    with beam.Pipeline() as pipeline:
        _ = pipeline | beam.Create(records) | WriteAudioRecords(str(tmp_path / "data_tfrecord"))
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["data_tfrecord-00000-of-00001.gz"]
    assert files[0].read_bytes()[:2] == b"\x1f\x8b"
    read = tf.data.TFRecordDataset([str(path) for path in files], compression_type="GZIP")
    assert sorted(record.numpy() for record in read) == sorted(records)
    with beam.Pipeline() as pipeline:
        again = pipeline | beam.io.ReadFromTFRecord(str(tmp_path / "data_tfrecord*.gz"))
        assert_that(again, equal_to(records))
