"""Part file: what a download has loaded so far, beside its place, and which version it is of."""

import contextlib
import dataclasses
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


@dataclasses.dataclass(frozen=True)
class PartFile:
    """`<target>.part`, and `<target>.part.json` with the server's name of the version.

    Attributes:
      path: of the part.
    """

    path: Path

    @classmethod
    def beside(cls, target: Path) -> "PartFile":
        return cls(target.with_name(target.name + ".part"))

    @property
    def size(self) -> int:
        """Bytes loaded so far."""
        return self.path.stat().st_size

    @property
    def sha256(self) -> str:
        """Of what is there."""
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def append(self, source: BinaryIO, have: int, total: int) -> Iterator[int]:
        """Writes all of a source from byte `have` on; yields the size reached, from `have` on.

        Raises:
          KwsError: the disk is full; names the bytes that are missing of `total`, if that is known.
        """
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
                yield have

    def check_room(self, missing: int, url: str) -> None:
        """Refuses to begin what cannot fit.

        Raises:
          KwsError: fewer bytes are free than are missing.
        """
        free = shutil.disk_usage(self.path.parent).free
        if missing > free:
            raise KwsError(
                f"{url}: {missing} more bytes are needed in {self.path.parent}, {free} are free",
                hint=_ROOM,
            )

    def forget(self) -> None:
        """Empties the file."""
        with self.path.open("r+b") as file:
            file.truncate(0)
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
        return KwsError(
            f"{self.path} cannot be written on: the disk is full, {needed} needed",
            hint=f"{_ROOM}; the next run goes on where this one stopped",
        )
