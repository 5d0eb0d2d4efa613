"""Where bundles go: a folder of versions, on this machine or in a bucket, one of which is served.

    <destination>/LATEST                  the name of the version that is served, and a line feed
    <destination>/<version>/SHA256SUMS    every file of the version with its checksum
    <destination>/<version>/...           the files

A reader looks into `LATEST` and then reads that version: it has all of the old version or all of
the new one, whatever happens to whoever is pushing. `LATEST` is replaced only when the version is
complete and was read back, and in one step: by renaming a file over it in a folder, by a single put
in a bucket. A version is never written to again.

A folder and a bucket differ in how a version comes to be: see `local_destination`, where it is
renamed, and `object_store`, which knows no renaming.
"""

import abc
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

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
    def read(self, version: str, name: str) -> bytes:
        """Content of a version's file; FileNotFoundError where there is none."""

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
