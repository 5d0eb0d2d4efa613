"""A file that is read as if some of its bytes were others, or as if it ended sooner."""

import io
import os
from collections.abc import Sequence
from typing import BinaryIO


class PatchedFile(io.RawIOBase):
    """A view of a file; closing it leaves the file open."""

    def __init__(
        self, file: BinaryIO, patches: Sequence[tuple[int, bytes]], ends_at: int | None = None
    ):
        """Args:
        file: seekable; nobody else may read it meanwhile.
        patches: (offset, bytes) that stand in place of the file's own.
        ends_at: its length; None: the file's own.
        """
        super().__init__()
        self._file, self._patches, self._position = file, tuple(patches), 0
        size = file.seek(0, os.SEEK_END)
        self._size = size if ends_at is None else min(size, ends_at)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # as RawIOBase has it
        start = self._position
        self._file.seek(start)
        content = bytearray(self._file.read(max(0, min(len(buffer), self._size - start))))
        for offset, patch in self._patches:
            for at, byte in enumerate(patch, offset - start):
                if 0 <= at < len(content):
                    content[at] = byte
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)
