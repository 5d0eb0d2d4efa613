"""Files of a pipeline root that may be a bucket, for code that works on folders of this machine.

Workers of another machine share nothing with this process but the pipeline root and the folder of
the recordings, and both may be URLs. A folder that is none is used as it is.
"""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tfx.dsl.io import fileio

import components.object_stores  # noqa: F401  # s3:// and minio://, for TFX's fileio
from kws.audio.container import Unreadable
from kws.audio.read import Source

MAX_SHORT_BYTES = 512 << 20
"""Of a remote recording that is read whole: a word, or what words are cut from."""
_FETCHED_BYTES = 1 << 20
"""Of a remote recording at once."""


def is_url(path: str) -> bool:
    """Whether a path belongs to a store that TFX's `fileio` knows, and libsndfile does not."""
    return "://" in path


@contextmanager
def copied(uri: str) -> Iterator[Path]:
    """A folder with the files of an artifact's folder, to read them; for small ones, as a model.

    Only files that lie directly in it are copied.
    """
    if not is_url(uri):
        yield Path(uri)
        return
    with tempfile.TemporaryDirectory(prefix="kws-") as place:
        for name in fileio.listdir(uri) if fileio.isdir(uri) else ():
            path = os.path.join(uri, name)
            if not fileio.isdir(path):
                fileio.copy(path, os.path.join(place, name))
        yield Path(place)


@contextmanager
def written(uri: str) -> Iterator[Path]:
    """A folder whose files are in the artifact's folder once the context ends without an error."""
    fileio.makedirs(uri)
    if not is_url(uri):
        yield Path(uri)
        return
    with tempfile.TemporaryDirectory(prefix="kws-") as place:
        yield Path(place)
        for path in sorted(Path(place).iterdir()):
            fileio.copy(str(path), os.path.join(uri, path.name), overwrite=True)


def short_recording(path: str) -> Source:
    """What `kws.audio.read` can open: a path, which libsndfile reads in C, or the content.

    Raises:
      Unreadable: the content is larger than MAX_SHORT_BYTES.
    """
    if not is_url(path):
        return path
    with fileio.open(path, "rb") as file:
        content = file.read(MAX_SHORT_BYTES + 1)
    if len(content) > MAX_SHORT_BYTES:
        raise Unreadable("too_long", f"more than {MAX_SHORT_BYTES:,} bytes in a bucket")
    return io.BytesIO(content)


@contextmanager
def long_recording(path: str) -> Iterator[Source]:
    """The same for a recording of hours, of which a window is read: no more of it is fetched."""
    if not is_url(path):
        yield path
        return
    with fileio.open(path, "rb") as file:
        yield io.BufferedReader(_Raw(file), _FETCHED_BYTES)


class _Raw(io.RawIOBase):
    """What TFX's files lack of Python's: a `seek` that says where it went, and `readinto`."""

    def __init__(self, file: Any):
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._file.seek(offset, whence)
        return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)
