"""From what a user calls a bundle to a folder on this machine that holds it."""

import hashlib
import os
from pathlib import Path

from kws import storage
from kws.errors import KwsError
from kws.micro import checksums
from kws.micro.destination import LATEST, is_version
from kws.micro.destinations import is_url, open_destination
from kws.micro.local_destination import LocalDestination
from kws.micro.object_store import ObjectStore

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
                    checksums.verify(copied)
    checksums.verify(folder)
    return folder
