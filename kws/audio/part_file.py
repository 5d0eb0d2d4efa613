"""Part file: what a download has loaded so far, beside its place, and which version it is of.

Its checksum is computed as the bytes arrive; what a former run has left is read once.
"""

import contextlib
import errno
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kws.errors import KwsError

_CHUNK_BYTES = 1 << 18
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ROOM = "make room, or let KWS_CACHE name a folder on a larger disk"


class NoRoom(KwsError):
    """The disk is full, or would be."""


def check_room(folder: Path, missing: int, what: str) -> None:
    """Refuses to begin what cannot fit.

    Raises:
      NoRoom: fewer bytes are free in the folder than are missing of what is to come.
    """
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise NoRoom(
            f"{what}: {missing} more bytes are needed in {folder}, {free} are free", hint=_ROOM
        )


class PartFile:
    """`<target>.part`, and `<target>.part.json` with the server's name of the version.

    Attributes:
      path: of the part.
    """

    def __init__(self, path: Path, algorithm: str = "sha256"):
        """Looks at nothing yet.

        Args:
          path: of the part.
          algorithm: of the checksum, as `hashlib` names it.
        """
        self.path = path
        self._algorithm = algorithm
        self._hash = hashlib.new(algorithm)
        self._hashed = 0

    @classmethod
    def beside(cls, target: Path, algorithm: str = "sha256") -> "PartFile":
        return cls(target.with_name(target.name + ".part"), algorithm)

    @property
    def size(self) -> int:
        """Bytes loaded so far."""
        return self.path.stat().st_size

    @property
    def checksum(self) -> str:
        """Of what is there; reads only what was not written here."""
        self._hash_up_to(self.size)
        return self._hash.hexdigest()

    def _hash_up_to(self, size: int) -> None:
        """Brings the checksum to the first `size` bytes of the file."""
        if self._hashed > size:
            self._hash, self._hashed = hashlib.new(self._algorithm), 0
        if self._hashed == size:
            return
        with self.path.open("rb") as file:
            file.seek(self._hashed)
            while self._hashed < size and (
                chunk := file.read(min(_CHUNK_BYTES, size - self._hashed))
            ):
                self._hash.update(chunk)
                self._hashed += len(chunk)

    def append(self, source: BinaryIO, have: int, total: int) -> Iterator[int]:
        """Writes all of a source from byte `have` on; yields the size reached, from `have` on.

        Raises:
          NoRoom: the disk is full; names the bytes that are missing of `total`, if that is known.
        """
        self._hash_up_to(have)
        with self.path.open("r+b") as file:
            file.seek(have)
            yield have
            while chunk := source.read(_CHUNK_BYTES):
                try:
                    file.write(chunk)
                    file.flush()
                except OSError as error:
                    if error.errno in _DISK_FULL:
                        raise self._full(total - have) from error
                    raise
                have += len(chunk)
                self._hash.update(chunk)
                self._hashed = have
                yield have

    def forget(self) -> None:
        """Empties the file."""
        with self.path.open("r+b") as file:
            file.truncate(0)
        self._hash, self._hashed = hashlib.new(self._algorithm), 0
        self._notes.unlink(missing_ok=True)

    def remove(self) -> None:
        self.path.unlink()
        self._notes.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """The file is whole: it goes to its place."""
        self.path.rename(target)
        self._notes.unlink(missing_ok=True)

    def note_version(self, url: str, version: str) -> None:
        """Keeps the server's name of the version that is being loaded."""
        with contextlib.suppress(OSError):  # A help only: the checksum decides.
            self._notes.write_text(json.dumps({"url": url, "version": version}))

    def version(self, url: str) -> str | None:
        """The version noted for this address, if any."""
        try:
            notes = json.loads(self._notes.read_text())
        except (OSError, ValueError):
            return None
        return notes.get("version") if notes.get("url") == url else None

    @property
    def _notes(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def _full(self, missing: int) -> KwsError:
        needed = f"{missing} more bytes are" if missing > 0 else "more room is"
        return NoRoom(
            f"{self.path} cannot be written on: the disk is full, {needed} needed",
            hint=f"{_ROOM}; the next run goes on where this one stopped",
        )
