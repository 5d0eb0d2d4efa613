"""Where bundles go: a folder of versions, local or in a bucket, one of which is served.

    <destination>/LATEST                  the name of the served version, and a line feed
    <destination>/<version>/SHA256SUMS    checksums of all files of the version (`sha256sum -c`)
    <destination>/<version>/...           the files
    <destination>/registry/...            what runs remember beside them: `kws.bundle.registry`

A reader looks into `LATEST` and then reads that version, so it gets all of the old or all of the
new version, whatever happens to the writer. `LATEST` is replaced only when the version is
complete and has been read back, in one step: by renaming in a folder, by a single put in a
bucket. A version is never modified.

A local folder is written to a temporary place, synced and renamed. A process killed while writing
leaves a folder `.tmp-...`, which readers skip and the next push removes; killed between the rename
and `LATEST`, it leaves a complete version that is not served yet: `kws bundle promote` serves it.
`object_store` is the other kind, which cannot rename.
"""

import abc
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from kws import storage
from kws.errors import KwsError

LATEST = "LATEST"
"""File beside the versions with the name of the one that is served."""
_LONGEST = 100
"""Bytes of it that are looked at."""


class Destination(abc.ABC):
    """A place for versions. Only one process should push to it at a time.

    Attributes:
      url: what a person calls it.
    """

    url: str

    @abc.abstractmethod
    def exists(self) -> bool:
        """Whether there is such a place, if only an empty one."""

    @abc.abstractmethod
    def versions(self) -> list[str]:
        """Names of the complete versions, the oldest (the smallest number) first."""

    @abc.abstractmethod
    def served(self) -> str | None:
        """The version that `LATEST` names; None before the first push.

        Raises:
          KwsError: it holds something else, or cannot be read.
        """

    @abc.abstractmethod
    def place(self, version: str) -> str:
        """Path or URL of a version, there or not."""

    @abc.abstractmethod
    def read(self, folder: str, name: str) -> bytes:
        """Content of a file in a version, or in another folder beside the versions.

        Raises:
          FileNotFoundError: there is none.
        """

    @abc.abstractmethod
    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder beside the versions, in order; [] where there is none."""

    @abc.abstractmethod
    def save(self, folder: str, name: str, content: bytes) -> None:
        """Writes or replaces a file in a folder beside the versions, in one step."""

    @abc.abstractmethod
    def fetched(self, version: str) -> AbstractContextManager[Path]:
        """A folder on this machine with the version's files, as long as the context lasts."""

    @abc.abstractmethod
    def writing(self) -> AbstractContextManager[None]:
        """Whoever changes something does so within; makes the place where it is missing."""

    @abc.abstractmethod
    def clear(self) -> None:
        """Removes what pushes that came to no end left behind. Nothing complete goes."""

    @abc.abstractmethod
    def staged(self, version: str) -> AbstractContextManager[Path]:
        """An empty folder on this machine to write a version's files into, for `put`."""

    @abc.abstractmethod
    def put(self, staged: Path, version: str) -> None:
        """Makes the staged files the version: complete and durable, or not there for readers.

        Raises:
          KwsError: what can be read back is not what was written.
        """

    @abc.abstractmethod
    def serve(self, version: str) -> None:
        """Names a complete version in `LATEST`, in one step."""


def is_version(name: str) -> bool:
    """Whether it is digits, and so the name of a version; nothing else is looked up or joined."""
    return re.fullmatch("[0-9]{1,40}", name) is not None


def version_in(content: bytes, url: str) -> str:
    """The version that the content of `LATEST` names.

    Raises:
      KwsError: it names none: a path, say, would be read instead.
    """
    name = content[:_LONGEST].decode("utf-8", "replace").strip()
    if not is_version(name):
        raise KwsError(
            f"{url}/{LATEST} holds {name!r}, which is not the name of a version",
            hint="choose the version to serve: kws bundle promote",
        )
    return name


def release(destination: Destination, version: str, fill: Callable[[Path], None]) -> str:
    """Makes a new version and serves it; returns its path or URL.

    Args:
      destination: where to.
      version: its name, digits.
      fill: writes all files into an empty folder, `SHA256SUMS` among them, and checks them.

    Raises:
      KwsError: the version exists already or is not made of digits, or what was written cannot be
        read back. Whatever is raised, and if the process dies: what was served stays, unless
        `LATEST` was replaced already.
    """
    if not is_version(version):
        raise KwsError(f"version={version!r} of the bundle", hint="digits only, e.g. 17")
    place = destination.place(version)
    with destination.writing():
        if version in destination.versions():
            raise KwsError(f"{place} exists already: a pushed bundle is never overwritten")
        destination.clear()
        with destination.staged(version) as folder:
            fill(folder)
            destination.put(folder, version)
        destination.serve(version)
    return place


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

    def read(self, folder: str, name: str) -> bytes:
        """See `Destination.read`."""
        return (self.folder / folder / name).read_bytes()

    def names(self, folder: str) -> list[str]:
        """See `Destination.names`; unfinished files have names that begin with a dot."""
        if not (self.folder / folder).is_dir():
            return []
        found = (path for path in (self.folder / folder).iterdir() if path.is_file())
        return sorted(path.name for path in found if not path.name.startswith("."))

    def save(self, folder: str, name: str, content: bytes) -> None:
        """See `Destination.save`."""
        storage.atomic_write(self.folder / folder / name, content, durable=True)

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


SUMS_FILE = "SHA256SUMS"
_LINE = re.compile("([0-9a-f]{64})  (.+)")


def write_checksums(folder: Path) -> None:
    """Lists every file below the folder."""
    lines = [f"{_digest(folder / name)}  {name}\n" for name in _files(folder)]
    (folder / SUMS_FILE).write_text("".join(lines))


def verify_checksums(folder: Path) -> None:
    """Checks that the folder holds the files that were listed, and nothing else.

    Raises:
      KwsError: names the first that is missing, changed or not listed; a link, which may lead
        anywhere, and an empty folder were never listed.
    """
    listed = _listed(folder)
    found = set(_files(folder))
    for name in sorted(found | set(listed)):
        if name not in found:
            raise KwsError(f"{folder / name} is missing, but {SUMS_FILE} lists it")
        if name not in listed:
            raise KwsError(f"{folder / name} is not listed in {SUMS_FILE}")
        if _digest(folder / name) != listed[name]:
            raise KwsError(f"{folder / name} is not the file that was pushed: its checksum differs")


def _listed(folder: Path) -> dict[str, str]:
    """Name -> digest, as `SHA256SUMS` has them."""
    if not (folder / SUMS_FILE).is_file():
        raise KwsError(f"{folder} has no {SUMS_FILE}: it is no bundle")
    content = (folder / SUMS_FILE).read_text("utf-8", errors="replace")
    listed: dict[str, str] = {}
    for number, line in enumerate(content.splitlines(), 1):
        parts = _LINE.fullmatch(line)
        if parts is None or parts[2] in listed:
            why = "is not a checksum and a name" if parts is None else f"names {parts[2]!r} again"
            raise KwsError(f"{folder / SUMS_FILE}: line {number} {why}")
        listed[parts[2]] = parts[1]
    return listed


def _files(folder: Path) -> list[str]:
    """Every file below the folder, by its name inside.

    Raises:
      KwsError: there is something else: a link, an empty folder, a pipe.
    """
    names = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise KwsError(f"{path} is a link, and no file of a bundle")
        if path.is_dir():
            if not any(path.iterdir()):
                raise KwsError(f"{path} is an empty folder, which no bundle has")
        elif not path.is_file():
            raise KwsError(f"{path} is not a file")
        else:
            names.append(path.relative_to(folder).as_posix())
    return sorted(name for name in names if name != SUMS_FILE)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
