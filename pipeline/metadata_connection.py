"""A connection to ML Metadata, opened or refused in one sentence.

MLMD says only that a server let it down, and to standard error why, if at all; so what can be
looked at before is looked at here: whether the host is known and somebody listens.
"""

import contextlib
import functools
import os
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ml_metadata import errors
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from kws.errors import KwsError
from pipeline.metadata_params import PASSWORD_VARIABLE, MetadataParams, MySqlParams

_READ_ONLY = mlmd.SqliteMetadataSourceConfig.READONLY
_MOST_TOLD = 200
"""Characters of what a library says."""
CONNECT_TIMEOUT_S = 5.0
ATTEMPTS = 5
_NO_DATABASE = "Unknown database"
_NOT_LET_IN = "mysql_real_connect failed"


def make(params: MetadataParams, default: Path) -> mlmd.ConnectionConfig:
    """The connection, without a password; `default` is the file where params name nothing."""
    made = mlmd.ConnectionConfig()
    if params.mysql is None:
        made.sqlite.filename_uri = str((params.sqlite or default).resolve())
        made.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        return made
    made.mysql.host, made.mysql.port = params.mysql.host, params.mysql.port
    made.mysql.database, made.mysql.user = params.mysql.database, params.mysql.user
    # The database is not created: a typing error in its name would create a second store.
    made.mysql.skip_db_creation = True
    return made


def open_store(made: mlmd.ConnectionConfig, params: MetadataParams) -> MetadataStore:
    """Opens a store; what MLMD writes to standard error meanwhile stays out of sight.

    Raises:
      KwsError: one line with the server's address and what is wrong: nobody there, the user or the
        password, the database; or with the file, if it is damaged or another program's.
    """
    server = params.mysql
    if server is None:
        return _open_file(made)
    password = server.password()
    with_password = mlmd.ConnectionConfig()
    with_password.CopyFrom(made)
    with_password.mysql.password = password
    for attempt in range(1, ATTEMPTS + 1):
        with _captured() as said:
            try:
                return MetadataStore(with_password)
            except (RuntimeError, errors.StatusError) as error:
                reason = f"{error} {said()}"
        # Two first runs at once make the same tables: one is asked to come again.
        if "concurrent" not in reason or attempt == ATTEMPTS:
            break
        time.sleep(attempt)
    where = f"metadata store: mysql on {server.host}:{server.port}"
    _knock(where, server)
    raise _refusal(reason, where, server, bool(password))


def _open_file(made: mlmd.ConnectionConfig) -> MetadataStore:
    file = Path(made.sqlite.filename_uri)
    if file.is_file() and file.stat().st_size:
        signature = file.stat()
        problem = _damage(str(file), signature.st_mtime_ns, signature.st_size)
    elif file.is_file() and made.sqlite.connection_mode == _READ_ONLY:
        problem = "it is empty"
    else:
        problem = None  # the first run
    if problem is None:
        with _captured() as said:
            try:
                return MetadataStore(made)
            except (RuntimeError, errors.StatusError) as error:
                problem = " ".join(f"{error} {said()}".split())[:_MOST_TOLD]
    raise KwsError(
        f"{file} cannot be used as ML Metadata: {problem}",
        hint="bring it back from a copy; or move it away and run the same pipeline again (kws "
        "run): everything is made anew, bundles that were pushed stay",
    )


@functools.lru_cache(8)
def _damage(file: str, mtime_ns: int, size: int) -> str | None:
    """What SQLite itself finds wrong with a file; None: nothing, or another process has it."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{Path(file).as_uri()}?mode=ro", uri=True, timeout=1)
        ) as database:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    except sqlite3.OperationalError as error:
        return None if "locked" in str(error) else str(error)
    except sqlite3.DatabaseError as error:
        return str(error)
    if found != "ok":
        return " ".join(found.split())[:_MOST_TOLD]
    return None if "MLMDEnv" in tables else "it holds the tables of another program"


def _knock(where: str, server: MySqlParams) -> None:
    """Raises KwsError if nobody is there at all."""
    try:
        socket.create_connection((server.host, server.port), CONNECT_TIMEOUT_S).close()
    except socket.gaierror:
        raise KwsError(f"{where}: no such host", hint="metadata.mysql.host") from None
    except OSError as error:
        raise KwsError(
            f"{where}: {error.strerror or 'no answer'}",
            hint="is the server up, and is that its port (metadata.mysql.port)?",
        ) from None


def _refusal(reason: str, where: str, server: MySqlParams, has_password: bool) -> KwsError:
    if _NO_DATABASE in reason and server.database in reason:
        return KwsError(
            f"{where}: there is no database {server.database!r}",
            hint=f"CREATE DATABASE {server.database}; its tables are made by the first run",
        )
    if _NOT_LET_IN in reason:
        source = server.password_file or PASSWORD_VARIABLE
        return KwsError(
            f"{where}: user {server.user!r} is not let in",
            hint=f"the password comes from {source}{'' if has_password else ', which gives none'}; "
            "ML Metadata logs in by mysql_native_password alone",
        )
    told = [line for line in reason.splitlines() if "error" in line.lower()]
    return KwsError(f"{where}: {' '.join(' '.join(told).split())}")


@contextlib.contextmanager
def _captured() -> Iterator[Callable[[], str]]:
    """File descriptor 2, to which MLMD's C++ code tells what its exceptions leave out."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)

        def said() -> str:
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            yield said
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
