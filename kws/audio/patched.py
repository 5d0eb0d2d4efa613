"""Views of a file that keep a position of their own, and one that mends it as its check says."""

import io
import os
from typing import BinaryIO

from kws.audio.container import Check


class FileView(io.RawIOBase):
    """A readable view of `size` bytes with its own position; a subclass reads them."""

    def __init__(self, size: int):
        super().__init__()
        self._size, self._position = size, 0

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


class PatchedFile(FileView):
    """A view of a part of a file, with other bytes in some places; closing it leaves it open."""

    def __init__(self, file: BinaryIO, checked: Check):
        """Takes a seekable file, which nobody else may read meanwhile."""
        self._file, self._checked = file, checked
        end = file.seek(0, os.SEEK_END)
        end = end if checked.ends_at is None else min(end, checked.ends_at)
        super().__init__(len(checked.prefix) + max(0, end - checked.starts_at))

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # as RawIOBase has it
        content = self._content(max(0, min(len(buffer), self._size - self._position)))
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def _content(self, wanted: int) -> bytes | bytearray:
        prefix = self._checked.prefix
        if self._position < len(prefix):
            return prefix[self._position : self._position + wanted]
        start = self._position - len(prefix) + self._checked.starts_at
        self._file.seek(start)
        content = bytearray(self._file.read(wanted))
        for offset, patch in self._checked.patches:
            for at, byte in enumerate(patch, offset - start):
                if 0 <= at < len(content):
                    content[at] = byte
        return content
