"""`s3://` and `minio://` for TFX's `fileio`; importing this module registers them.

TFX leaves URLs to TensorFlow, which has had no client of S3 since 2.5 (`tensorflow-io` had one, for
other versions). Here the client is fsspec's, as for the bundles: credentials and `AWS_ENDPOINT_URL`
come from the environment. A store has no folders, so making one does nothing, and no object of no
bytes is left behind where one was made.
"""

import dataclasses
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apache_beam.io.filesystems import FileSystems
from tfx.dsl.io import filesystem, filesystem_registry

from kws.bundle.object_store import filesystem_of

SCHEMES = ("s3://", "minio://")
_BEFORE_TENSORFLOW = 5
"""Priority among TFX's file systems; TensorFlow's, which claims s3:// too, has 10."""
_NANOSECONDS = 10**9


@dataclasses.dataclass(frozen=True)
class Stat:
    """Of an object; `length` in bytes. A folder has neither length nor time."""

    length: int
    mtime_nsec: int


class ObjectStores(filesystem.Filesystem):
    """See `tfx.dsl.io.filesystem.Filesystem`; what is not there raises its NotFoundError."""

    SUPPORTED_SCHEMES = SCHEMES

    @staticmethod
    def open(name: str, mode: str = "r") -> Any:
        with _opened(name) as (files, path):
            return files.open(path, mode)

    @staticmethod
    def copy(src: str, dst: str, overwrite: bool = False) -> None:
        if not overwrite and ObjectStores.exists(dst):
            raise OSError(f"{dst} exists already")
        with _opened(src) as (files, path):
            files.cp_file(path, filesystem_of(dst)[1])

    @staticmethod
    def exists(path: str) -> bool:
        with _opened(path) as (files, inside):
            return files.exists(inside)

    @staticmethod
    def glob(pattern: str) -> list[str]:
        with _opened(pattern) as (files, inside):
            return sorted(_url(pattern, found) for found in files.glob(inside))

    @staticmethod
    def isdir(path: str) -> bool:
        with _opened(path) as (files, inside):
            return files.isdir(inside)

    @staticmethod
    def listdir(path: str) -> list[str]:
        with _opened(path) as (files, inside):
            names = [posixpath.basename(found.rstrip("/")) for found in files.ls(inside, False)]
            return sorted(name for name in names if name != posixpath.basename(inside))

    @staticmethod
    def makedirs(path: str) -> None:
        pass

    @staticmethod
    def mkdir(path: str) -> None:
        pass

    @staticmethod
    def remove(path: str) -> None:
        with _opened(path) as (files, inside):
            files.rm_file(inside)

    @staticmethod
    def rename(src: str, dst: str, overwrite: bool = False) -> None:
        ObjectStores.copy(src, dst, overwrite)
        ObjectStores.remove(src)

    @staticmethod
    def rmtree(path: str) -> None:
        with _opened(path) as (files, inside):
            files.rm(inside, recursive=True)

    @staticmethod
    def stat(path: str) -> Stat:
        with _opened(path) as (files, inside):
            return _stat(files.info(inside))

    @staticmethod
    def walk(
        top: str, topdown: bool = True, onerror: Any = None
    ) -> Iterator[tuple[str, list[str], list[str]]]:
        """By one listing of all that is below, where os.walk would make one a folder."""
        top = top.rstrip("/")
        folders: dict[str, tuple[set[str], list[str]]] = {"": (set(), [])}
        for name in sorted(name for name, _ in _listed(top)):
            *above, file = name.split("/")
            for depth, folder in enumerate(above):
                folders["/".join(above[:depth])][0].add(folder)
                folders.setdefault("/".join(above[: depth + 1]), (set(), []))
            folders["/".join(above)][1].append(file)
        for folder in sorted(folders, reverse=not topdown):
            inside, names = folders[folder]
            yield f"{top}/{folder}".rstrip("/"), sorted(inside), names


def listing(folder: str) -> list[tuple[str, int, float]]:
    """All files below a folder, of this machine or of a store, by as few listings as it takes.

    Returns:
      Name below the folder, bytes, and time of the last change in seconds, in order of the names.
    """
    if folder.startswith(SCHEMES):
        found = [(name, of.length, of.mtime_nsec / _NANOSECONDS) for name, of in _listed(folder)]
    else:
        (matched,) = FileSystems.match([f"{folder}/**"])
        found = [
            (one.path[len(folder) + 1 :], one.size_in_bytes, one.last_updated_in_seconds)
            for one in matched.metadata_list
        ]
    return sorted(found)


def remove_folder_markers(url: str) -> list[str]:
    """Removes the objects of no bytes by which clients of `gs://` mark folders.

    TensorFlow's makes one wherever TFX makes a folder. The launcher of Kubeflow Pipelines would
    download it as a file, where the folder should be.

    Args:
      url: of an artifact; only `gs://` has them.

    Returns:
      Names of what was removed.
    """
    if not url.startswith("gs://"):
        return []
    from google.cloud import storage

    bucket, _, name = url.removeprefix("gs://").partition("/")
    # The project only says who pays for new buckets.
    client = storage.Client(project="-")
    found = client.list_blobs(bucket, prefix=f"{name.rstrip('/')}/")
    markers = [blob for blob in found if blob.name.endswith("/") and not blob.size]
    for marker in markers:
        marker.delete()
    return [marker.name for marker in markers]


def _listed(folder: str) -> Iterator[tuple[str, Stat]]:
    with _opened(folder) as (files, inside):
        found = files.find(inside, detail=True)
    for path, info in found.items():
        name = path[len(inside) :].lstrip("/")
        if name and not name.endswith("/"):  # as some clients mark a folder
            yield name, _stat(info)


def _stat(info: dict[str, Any]) -> Stat:
    if info["type"] == "directory":
        return Stat(0, 0)
    changed = info.get("LastModified") or info.get("created")
    return Stat(info["size"], int(changed.timestamp() * _NANOSECONDS) if changed else 0)


def _url(like: str, path: str) -> str:
    return f"{like.partition('://')[0]}://{path}"


@contextmanager
def _opened(url: str) -> Iterator[tuple[Any, str]]:
    files, path = filesystem_of(url)
    try:
        yield files, path.rstrip("/")
    except FileNotFoundError as error:
        raise filesystem.NotFoundError(url) from error


filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(ObjectStores, _BEFORE_TENSORFLOW)
