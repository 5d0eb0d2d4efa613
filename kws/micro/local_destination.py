"""A folder of versions on this machine: written aside, synced, renamed.

A process killed while it writes leaves a folder `.tmp-...` that readers pass over and the next push
removes; killed between the renaming and `LATEST`, it leaves a complete version that `LATEST` does
not name: `kws bundle promote` serves it.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kws import storage
from kws.errors import KwsError
from kws.micro.destination import LATEST, Destination, is_version, version_in

_TEMPORARY = ".tmp-"


class LocalDestination(Destination):
    """See `Destination`. Pushes wait for each other, by a lock that the system lets go of."""

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(folder)
        self.url = str(self.folder)

    def exists(self) -> bool:
        """See `Destination.exists`."""
        return self.folder.is_dir()

    def versions(self) -> list[str]:
        """See `Destination.versions`; what is there by its name is complete."""
        if not self.exists():
            return []
        # A link that leads nowhere is listed, too: whoever checks it says so.
        found = (path for path in self.folder.iterdir() if path.is_dir() or path.is_symlink())
        return sorted((path.name for path in found if is_version(path.name)), key=int)

    def served(self) -> str | None:
        """See `Destination.served`."""
        try:
            with (self.folder / LATEST).open("rb") as file:
                return version_in(file.read(1000), self.url)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KwsError(f"{self.folder / LATEST} cannot be read: {error.strerror}") from None

    def place(self, version: str) -> str:
        """See `Destination.place`."""
        return str(self.folder / version)

    def read(self, version: str, name: str) -> bytes:
        """See `Destination.read`."""
        return (self.folder / version / name).read_bytes()

    @contextmanager
    def fetched(self, version: str) -> Iterator[Path]:
        """See `Destination.fetched`: the version's own folder."""
        yield self.folder / version

    @contextmanager
    def writing(self) -> Iterator[None]:
        """See `Destination.writing`."""
        with storage.lock(self.folder / ".lock", "a push or a change of version"):
            yield

    def clear(self) -> None:
        """See `Destination.clear`."""
        for leftover in self.folder.glob(f"{_TEMPORARY}*"):
            storage.remove(leftover)
        storage.remove_leftovers(self.folder / LATEST)

    @contextmanager
    def staged(self, version: str) -> Iterator[Path]:
        """See `Destination.staged`: beside the versions, so that it can be renamed."""
        name = tempfile.mkdtemp(prefix=f"{_TEMPORARY}{version}-", dir=self.folder)
        folder = Path(name)
        try:
            folder.chmod(0o755)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, staged: Path, version: str) -> None:
        """See `Destination.put`."""
        for path in staged.rglob("*"):
            storage.sync(path)
        storage.sync(staged)
        try:
            os.rename(staged, self.folder / version)
        except OSError as error:
            if (self.folder / version).exists():
                raise KwsError(f"{self.place(version)} exists already") from error
            raise
        storage.sync(self.folder)

    def serve(self, version: str) -> None:
        """See `Destination.serve`."""
        storage.atomic_write(self.folder / LATEST, version + "\n", durable=True)
