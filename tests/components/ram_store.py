"""A store that is no folder: TensorFlow's file system in memory, made known to Beam.

Importing the module does that; TFX leaves what it does not know to TensorFlow.

Code that takes a `ram://` URL for a path writes into a folder `ram:` of the working directory, or
finds nothing.
"""

import io
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from apache_beam.io import filesystem

SCHEME = "ram"


class RamForBeam(filesystem.FileSystem):
    """As much of Beam's interface as its file sources and sinks use."""

    @classmethod
    def scheme(cls) -> str:
        return SCHEME

    def join(self, base: str, *parts: str) -> str:
        return "/".join([base.rstrip("/"), *parts])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def mkdirs(self, path: str) -> None:
        tf.io.gfile.makedirs(path)

    def has_dirs(self) -> bool:
        return True

    def _list(self, dir_or_prefix: str) -> Iterator[filesystem.FileMetadata]:
        for folder, _, names in tf.io.gfile.walk(dir_or_prefix):
            for name in names:
                path = f"{folder.rstrip('/')}/{name}"
                yield filesystem.FileMetadata(path, tf.io.gfile.stat(path).length)

    def create(self, path: str, mime_type: str = "", compression_type: str = "auto") -> Any:
        return self._opened(path, "wb", compression_type)

    def open(self, path: str, mime_type: str = "", compression_type: str = "auto") -> Any:
        return self._opened(path, "rb", compression_type)

    def _opened(self, path: str, mode: str, compression_type: str) -> Any:
        compression = self._get_compression_type(path, compression_type)
        file = _Written(path) if mode == "wb" else tf.io.gfile.GFile(path, mode)
        if compression == filesystem.CompressionTypes.UNCOMPRESSED:
            return file
        return filesystem.CompressedFile(file, compression)

    def copy(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for source, destination in zip(source_file_names, destination_file_names, strict=True):
            tf.io.gfile.copy(source, destination, overwrite=True)

    def rename(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for source, destination in zip(source_file_names, destination_file_names, strict=True):
            tf.io.gfile.rename(source, destination, overwrite=True)

    def exists(self, path: str) -> bool:
        return tf.io.gfile.exists(path)

    def size(self, path: str) -> int:
        return tf.io.gfile.stat(path).length

    def last_updated(self, path: str) -> float:
        return 0.0

    def checksum(self, path: str) -> str:
        return str(self.size(path))

    def metadata(self, path: str) -> filesystem.FileMetadata:
        return filesystem.FileMetadata(path, self.size(path))

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            for found in self.match([path])[0].metadata_list:
                tf.io.gfile.remove(found.path)


class _Written(io.BytesIO):
    """Is put into the store in one piece when it is closed, as into a bucket."""

    mode = "wb"

    def __init__(self, path: str):
        super().__init__()
        self._path = path

    def close(self) -> None:
        if not self.closed:
            with tf.io.gfile.GFile(self._path, "wb") as file:
                file.write(self.getvalue())
        super().close()
