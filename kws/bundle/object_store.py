"""A bucket of versions: gs://, s3://, minio://, or another object store of which fsspec knows.

There is no renaming here: "moving a folder" would copy object by object, and a reader would see
parts of it. What a store does give is that one put of one object is all or nothing, and that
whoever reads afterwards sees it (Amazon S3 since 2020, Google Cloud Storage always). So:

1. Every file is put under `<version>/`, all but `SHA256SUMS`, and read back.
2. `SHA256SUMS` is put: from now on the version is complete. One without it is no version; readers
   pass over it, and the next push removes it.
3. `LATEST` is put, one small object, and readers find the new version.

A store has no lock that goes when its holder dies, so one pusher at a time is asked for: where two
push at once, one takes the other's unfinished version for a rest and clears it.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kws.bundle import destination
from kws.bundle.destination import LATEST, SUMS_FILE, Destination, is_version, version_in
from kws.errors import KwsError

_EXTRAS = {"gs": "gs", "gcs": "gs", "s3": "s3", "s3a": "s3", "minio": "s3", "memory": ""}
"""Schemes whose puts are all or nothing, and the extra of kws-pipeline that brings the client."""
ENDPOINT = "AWS_ENDPOINT_URL"
"""Environment variable: the server that speaks S3, where it is not Amazon's; botocore reads it."""


class ObjectStore(Destination):
    """See `Destination`."""

    def __init__(self, filesystem: Any, root: str, url: str):
        """Looks at nothing yet.

        Args:
          filesystem: an fsspec filesystem whose `pipe_file` is all or nothing.
          root: bucket and prefix, as the filesystem calls it.
          url: the same, as a person calls it.
        """
        self.url = url.rstrip("/")
        self._files = filesystem
        self._root = root.rstrip("/")

    def exists(self) -> bool:
        """See `Destination.exists`; a bucket has no empty folders."""
        return self.served() is not None or bool(self.versions())

    def versions(self) -> list[str]:
        """See `Destination.versions`."""
        return sorted((name for name, whole in self._found().items() if whole), key=int)

    def served(self) -> str | None:
        """See `Destination.served`."""
        with self._named():
            try:
                return version_in(self._files.cat_file(self._at(LATEST)), self.url)
            except FileNotFoundError:
                return None

    def place(self, version: str) -> str:
        """See `Destination.place`."""
        return f"{self.url}/{version}"

    def read(self, folder: str, name: str) -> bytes:
        """See `Destination.read`."""
        with self._named():
            return self._files.cat_file(self._at(folder, name))

    def names(self, folder: str) -> list[str]:
        """See `Destination.names`."""
        return [name for name in self._names(folder) if "/" not in name]

    def save(self, folder: str, name: str, content: bytes) -> None:
        """See `Destination.save`."""
        self._put(content, folder, name)

    @contextmanager
    def fetched(self, version: str) -> Iterator[Path]:
        """See `Destination.fetched`: a temporary copy; its checksums are for the caller to hold."""
        with tempfile.TemporaryDirectory(prefix="kws-bundle-") as name:
            self.fetch_into(Path(name), version)
            yield Path(name)

    def fetch_into(self, folder: Path, version: str) -> None:
        """Copies a version's files.

        Raises:
          KwsError: there is no such version, or the store cannot be reached.
        """
        names = self._names(version)
        if SUMS_FILE not in names:
            raise KwsError(f"{self.url} has no version {version!r}")
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.read(version, name))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """See `Destination.writing`; here nothing keeps a second one out."""
        yield

    def clear(self) -> None:
        """See `Destination.clear`."""
        for version, whole in self._found().items():
            if not whole:
                self._remove(version)

    @contextmanager
    def staged(self, version: str) -> Iterator[Path]:
        """See `Destination.staged`: a temporary folder."""
        with tempfile.TemporaryDirectory(prefix=f"kws-{version}-") as name:
            yield Path(name)

    def put(self, staged: Path, version: str) -> None:
        """See `Destination.put`."""
        paths = sorted(path for path in staged.rglob("*") if path.is_file())
        files = {path.relative_to(staged).as_posix(): path for path in paths}
        sums = files.pop(SUMS_FILE)
        try:
            for name, path in files.items():
                self._put(path.read_bytes(), version, name)
            with tempfile.TemporaryDirectory(prefix="kws-read-back-") as back:
                for name in files:
                    (Path(back) / name).parent.mkdir(parents=True, exist_ok=True)
                    (Path(back) / name).write_bytes(self.read(version, name))
                (Path(back) / SUMS_FILE).write_bytes(sums.read_bytes())
                destination.verify_checksums(Path(back))
            self._put(sums.read_bytes(), version, SUMS_FILE)
        except BaseException:
            with contextlib.suppress(Exception):
                self._remove(version)
            raise

    def serve(self, version: str) -> None:
        """See `Destination.serve`."""
        self._put(f"{version}\n".encode(), LATEST)

    def _put(self, content: bytes, *parts: str) -> None:
        with self._named():
            self._files.pipe_file(self._at(*parts), content)

    def _remove(self, version: str) -> None:
        """Its `SHA256SUMS` first, so that readers at no time take the rest for a version."""
        with self._named():
            with contextlib.suppress(FileNotFoundError):
                self._files.rm_file(self._at(version, SUMS_FILE))
            with contextlib.suppress(FileNotFoundError):
                self._files.rm(self._at(version), recursive=True)

    def _found(self) -> dict[str, bool]:
        """Name of each version, complete or not -> whether it is."""
        found: dict[str, bool] = {}
        for name in self._names(""):
            version, _, rest = name.partition("/")
            if is_version(version) and rest:
                found[version] = found.get(version, False) or rest == SUMS_FILE
        return found

    def _names(self, folder: str) -> list[str]:
        """Of all files below a folder, or below all of them (""), without what stands before."""
        top = self._at(folder) if folder else self._root
        with self._named():
            self._files.invalidate_cache()
            try:
                paths = self._files.find(top)
            except FileNotFoundError:
                return []
        return sorted(path[len(top) :].lstrip("/") for path in paths)

    def _at(self, *parts: str) -> str:
        return "/".join([self._root, *parts])

    @contextmanager
    def _named(self) -> Iterator[None]:
        """What a client library raises, as an error that says which destination it is about."""
        try:
            yield
        except (FileNotFoundError, KwsError):
            raise
        except Exception as error:
            raise KwsError(f"{self.url}: {type(error).__name__}: {error}") from error


def open_store(url: str) -> ObjectStore:
    """The object store of a URL, with the credentials that its client finds in the environment.

    Raises:
      KwsError: see `filesystem_of`.
    """
    filesystem, root = filesystem_of(url)
    return ObjectStore(filesystem, root, url)


def filesystem_of(url: str) -> tuple[Any, str]:
    """The fsspec filesystem of a URL, and the URL's path in it.

    `minio://`, as Kubeflow Pipelines calls the store of its own installation, is S3 at the server
    that AWS_ENDPOINT_URL names.

    Raises:
      KwsError: a scheme that is not known to put all or nothing, whose client is missing, or
        `minio://` without a server.
    """
    import fsspec

    scheme, _, rest = url.partition("://")
    if scheme not in _EXTRAS:
        raise KwsError(
            f"{url}: bundles cannot be pushed to {scheme}://",
            hint=f"a folder, or one of {', '.join(f'{known}://' for known in _EXTRAS)}",
        )
    if scheme == "minio" and not os.environ.get(ENDPOINT):
        raise KwsError(
            f"{url}: {ENDPOINT} is not set, so the server's address is unknown",
            hint="on Kubeflow, compile with kubeflow.store.endpoint: docs/kubeflow.md",
        )
    options: dict[str, Any] = {"use_listings_cache": False}
    if _EXTRAS[scheme] == "s3" and os.environ.get(ENDPOINT):
        options["endpoint_url"] = os.environ[ENDPOINT]
    try:
        known = f"s3://{rest}" if scheme == "minio" else url
        return fsspec.core.url_to_fs(known, **options)
    except ImportError as error:
        raise KwsError(
            f"{url}: the client of {scheme}:// is not installed ({error})",
            hint=f'uv sync --extra {_EXTRAS[scheme]}, or pip install "kws-pipeline['
            f'{_EXTRAS[scheme]}]"',
        ) from error
    except Exception as error:
        raise KwsError(f"{url}: {type(error).__name__}: {error}") from error
