"""ML Metadata of a pipeline, found and opened in one way by whoever reads or writes it.

A run's folder says where its metadata is: by `metadata.sqlite`, or by `metadata.json`, which names
another file or a server, never a password. The path of either is the handle that is passed around
(`place_of`, `find`), and `store` opens it.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from kws import storage
from kws.errors import KwsError
from pipeline import metadata_connection
from pipeline.config import Config
from pipeline.metadata_params import MetadataParams
from pipeline.paths import Paths
from pipeline.runs import moved_run

SQLITE_FILE = "metadata.sqlite"
POINTER_FILE = "metadata.json"


def place_of(config: Config, paths: Paths) -> Path:
    """The file of the run's folder that says where its metadata is."""
    return paths.metadata if config.metadata.is_default else paths.metadata.with_name(POINTER_FILE)


def find(folder: Path) -> Path | None:
    """The same, of a run that was; None: no run has been in the folder."""
    for name in (POINTER_FILE, SQLITE_FILE):
        if (folder / name).is_file():
            return folder / name
    return None


def prepare(config: Config, paths: Paths) -> list[str]:
    """Makes sure that the metadata can be reached, and that the run's folder says where it is.

    Returns:
      Where the run was before, if its folder was moved since: see `moved_run`.

    Raises:
      KwsError: see `metadata_connection.open_store`.
    """
    pointer = paths.metadata.with_name(POINTER_FILE)
    pointer.parent.mkdir(parents=True, exist_ok=True)
    if config.metadata.is_default:
        pointer.unlink(missing_ok=True)
        return _go_on_here(config, paths) if paths.metadata.is_file() else []
    if config.metadata.sqlite is not None:
        config.metadata.sqlite.parent.mkdir(parents=True, exist_ok=True)
    former = _go_on_here(config, paths)
    told = json.loads(_absolute(config.metadata).model_dump_json(exclude_none=True))
    pointed = {"pipeline": config.name, "metadata": told}
    storage.atomic_write(pointer, json.dumps(pointed, indent=2) + "\n")
    return former


def _go_on_here(config: Config, paths: Paths) -> list[str]:
    """Opens the store, and follows the run's folder if that was moved."""
    opened = metadata_connection.open_store(connection(config, paths), config.metadata)
    shared_by = None if config.metadata.is_default else config.name
    return moved_run.rewrite(opened, paths.metadata.parent.resolve(), shared_by)


def connection(config: Config, paths: Paths) -> mlmd.ConnectionConfig:
    """What TFX's pipeline is given: without the password, for TFX logs it; see `for_tfx`."""
    return metadata_connection.make(config.metadata, paths.metadata)


@contextlib.contextmanager
def for_tfx(params: MetadataParams) -> Iterator[None]:
    """While it lasts, TFX opens a server as all others do: by `metadata_connection.open_store`.

    TFX keeps a pipeline's connection in its intermediate representation and logs that. So the
    password is not in it; it is added in the moment that a connection is opened.
    """
    if params.mysql is None:
        yield
        return
    from tfx.orchestration import metadata

    plain = metadata.Metadata

    class Opened(plain):  # type: ignore[misc, valid-type]
        """TFX's handle, whose store is opened when its context is entered."""

        def __enter__(self) -> "Opened":
            self._store = metadata_connection.open_store(self._connection_config, params)
            self._users += 1
            return self

    metadata.Metadata = Opened  # type: ignore[misc]
    try:
        yield
    finally:
        metadata.Metadata = plain  # type: ignore[misc]


def store(place: Path) -> MetadataStore:
    """Opens the metadata of a run, to read; of one that was moved, see `moved_run`.

    Args:
      place: of `place_of` or `find`; or any SQLite file of ML Metadata.

    Raises:
      KwsError: there is no such file, it is no `metadata.json`, or the server is not reached.
    """
    params, pipeline = _read(place)
    made = metadata_connection.make(params, place)
    if params.mysql is None:
        if not Path(made.sqlite.filename_uri).is_file():
            raise KwsError(f"{made.sqlite.filename_uri}: no run has been here")
        made.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READONLY
    opened = metadata_connection.open_store(made, params)
    here = place.parent.resolve()
    former = moved_run.former_folders(opened, here, pipeline)
    return moved_run.RelocatedStore(opened, former, here) if former else opened  # type: ignore[return-value]


def pipeline_of(place: Path) -> str | None:
    """The pipeline whose runs are meant, where others may share the store; None: all of them."""
    return _read(place)[1]


def _read(place: Path) -> tuple[MetadataParams, str | None]:
    if place.suffix != ".json":
        return MetadataParams(), None
    try:
        content = json.loads(place.read_text())
        return MetadataParams(**content["metadata"]), str(content["pipeline"])
    except (OSError, ValueError, KeyError, TypeError):
        raise KwsError(
            f"{place} does not say where ML Metadata is",
            hint="a run writes it; give the folder of a run, or a SQLite file",
        ) from None


def _absolute(params: MetadataParams) -> MetadataParams:
    """With paths that hold wherever they are read."""
    if params.mysql is None:
        file = params.sqlite
        return params.model_copy(update={"sqlite": file.resolve() if file else None})
    if params.mysql.password_file is None:
        return params
    password_file = params.mysql.password_file.resolve()
    located = params.mysql.model_copy(update={"password_file": password_file})
    return params.model_copy(update={"mysql": located})
