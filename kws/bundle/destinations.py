"""Finds destinations and bundles by what a user calls them: a path, a URL, a run's folder."""

import hashlib
import os
import re
from pathlib import Path

from kws import storage
from kws.bundle.destination import (
    LATEST,
    Destination,
    LocalDestination,
    is_version,
    verify_checksums,
)
from kws.bundle.object_store import ObjectStore
from kws.errors import KwsError


def is_url(place: str | os.PathLike[str]) -> bool:
    """Whether it names a scheme, as `gs://bucket/folder` does."""
    return re.match("[a-zA-Z][a-zA-Z0-9+.-]*://", os.fspath(place)) is not None


def open_destination(place: str | os.PathLike[str]) -> Destination:
    """The destination of a path, of `file://`, or of a bucket's URL.

    Raises:
      KwsError: a scheme that is not known, or whose client is not installed.
    """
    if not is_url(place):
        return LocalDestination(place)
    scheme, _, path = os.fspath(place).partition("://")
    if scheme == "file":
        if not path.startswith("/"):
            raise KwsError(f"{place} is no URL of a folder", hint="file:///home/me/bundles")
        return LocalDestination(path)
    from kws.bundle.object_store import open_store

    return open_store(os.fspath(place))


NEEDED = ("model.tflite", "labels.txt", "frontend.json")


def bundle_folder(place: str | os.PathLike[str]) -> Path:
    """The bundle itself, given it or the folder of versions that holds `LATEST`.

    Of a bucket (`gs://...`, `s3://...`), the version that is served, or the one that the URL names,
    is copied into `bundles/` of `$KWS_CACHE` (or `~/.cache/kws`) the first time, and its checksums
    are verified every time.

    Raises:
      KwsError: there is no bundle.
    """
    if is_url(place):
        destination = open_destination(place)
        if isinstance(destination, ObjectStore):
            return _copied(os.fspath(place).rstrip("/"), destination)
        place = destination.url
    folder = Path(place)
    if (folder / LATEST).is_file():
        folder = folder / (LocalDestination(folder).served() or "")
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise KwsError(
            f"{folder} is no bundle: {', '.join(missing)} missing",
            hint="give the folder of one version, or the folder of versions that holds LATEST",
        )
    return folder


def _copied(url: str, store: ObjectStore) -> Path:
    """The folder of the cache that holds the served version, or the one that the URL names."""
    version = store.served()
    if version is None and is_version(name := url.rpartition("/")[2]):
        url, version = url.rpartition("/")[0], name
        opened = open_destination(url)
        assert isinstance(opened, ObjectStore)
        store = opened
    if version is None:
        raise KwsError(
            f"{url} holds no bundle",
            hint="give the URL of the versions, or that of one version",
        )
    folder = (
        storage.cache_root() / "bundles" / hashlib.sha256(url.encode()).hexdigest()[:16] / version
    )
    if not folder.is_dir():
        lock_file = folder.with_name(f".{version}.lock")
        with storage.lock(lock_file, f"a copy of {url}/{version}"):
            if not folder.is_dir():
                storage.remove_leftovers(folder)
                with storage.atomic_folder(folder) as copied:
                    store.fetch_into(copied, version)
                    verify_checksums(copied)
    verify_checksums(folder)
    return folder
