"""Real database servers for tests: a user without rights, a free port, a folder that goes away."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

USER, PASSWORD, DATABASE = "kws", "a secret / of 1 \\ team", "kws_metadata"
UNPRIVILEGED = "nobody"
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_START_S = 30.0


class Server:
    """One that runs.

    Attributes:
      kind: as in the configuration.
      port: on 127.0.0.1; the database DATABASE is there and empty, USER may do all in it.
    """

    def __init__(self, kind: str, folder: Path):
        self.kind = kind
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def sql(self, text: str) -> None:
        """As the administrator."""
        if self.kind == "postgresql":
            command = [_tool("psql"), "-h", str(self._folder), "-p", str(self.port), "-U", USER]
            command += ["-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", text]
            environment = {**os.environ, "PGPASSWORD": PASSWORD}
        else:
            command = [_tool("mariadb"), "--no-defaults", "-u", "root"]
            command += ["-S", str(self._folder / "socket"), "-e", text]
            environment = dict(os.environ)
        subprocess.run(command, check=True, capture_output=True, text=True, env=environment)

    def dump(self) -> str:
        """All that is in the database."""
        if self.kind == "postgresql":
            command = [_tool("pg_dump"), "-h", "127.0.0.1", "-p", str(self.port), "-U", USER]
            environment = {**os.environ, "PGPASSWORD": PASSWORD}
            command.append(DATABASE)
        else:
            command = [_tool("mariadb-dump"), "--no-defaults", "-u", "root"]
            command += ["-S", str(self._folder / "socket"), DATABASE]
            environment = dict(os.environ)
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=environment
        ).stdout


def missing(kind: str) -> str | None:
    """Why there can be no such server here; None if there can."""
    needed = ("initdb", "postgres", "psql") if kind == "postgresql" else (
        "mariadb-install-db", "mariadbd", "mariadb",
    )  # fmt: skip
    absent = [name for name in needed if _find(name) is None]
    return f"no {kind} server here: {', '.join(absent)} missing" if absent else None


@contextlib.contextmanager
def server(kind: str) -> Iterator[Server]:
    """Starts one, and stops it."""
    # Not pytest's folder: only its owner may enter that, and the server is somebody else.
    folder = Path(tempfile.mkdtemp(prefix="kws-server-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, UNPRIVILEGED)
        made = Server(kind, folder)
        start = _postgresql if kind == "postgresql" else _mysql
        process = start(made, folder)
        try:
            yield made
        finally:
            # PostgreSQL waits at SIGTERM until everybody has gone, and at SIGINT throws them out.
            process.send_signal(signal.SIGINT if kind == "postgresql" else signal.SIGTERM)
            process.wait(_START_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgresql(made: Server, folder: Path) -> subprocess.Popen:
    secret = folder / "secret"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o644)
    data = folder / "data"
    _run(
        [_tool("initdb"), "-D", data, "-U", USER, "-N", "--auth=scram-sha-256",
         f"--pwfile={secret}"], folder,
    )  # fmt: skip
    command = [_tool("postgres"), "-D", data, "-p", made.port, "-h", "127.0.0.1", "-k", folder]
    process = _start(command, folder)
    _until_ready(made, process, folder, f"CREATE DATABASE {DATABASE}")
    return process


def _mysql(made: Server, folder: Path) -> subprocess.Popen:
    data = folder / "data"
    _run(
        [_tool("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db",
         "--auth-root-authentication-method=normal"], folder,
    )  # fmt: skip
    process = _start(
        [_tool("mariadbd"), "--no-defaults", f"--datadir={data}", f"--port={made.port}",
         "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}"], folder,
    )  # fmt: skip
    secret = PASSWORD.replace("\\", "\\\\")
    _until_ready(made, process, folder, f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    made.sql(
        f"CREATE USER {USER}@localhost IDENTIFIED BY '{secret}';"
        f"GRANT ALL ON {DATABASE}.* TO {USER}@localhost"
    )
    return process


def _until_ready(made: Server, process: subprocess.Popen, folder: Path, sql: str) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            made.sql(sql)
            return
        except subprocess.CalledProcessError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (folder / "log").read_text()
                raise RuntimeError(f"{made.kind} does not start: {error.stderr}\n{log}") from error
            time.sleep(0.1)


def _run(command: list, folder: Path) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True, **_as_nobody(folder))


def _start(command: list, folder: Path) -> subprocess.Popen:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            list(map(str, command)), stdout=log, stderr=log, **_as_nobody(folder)
        )


def _as_nobody(folder: Path) -> dict:
    user = {"user": UNPRIVILEGED} if os.geteuid() == 0 else {}
    return {"cwd": folder, "env": {**os.environ, "HOME": str(folder)}, **user}


def _tool(name: str) -> str:
    found = _find(name)
    assert found is not None, name
    return found


def _find(name: str) -> str | None:
    # The distribution's tools first: a server and its client must be of one version.
    places = os.pathsep.join([*map(str, _POSTGRES), os.environ["PATH"], "/usr/sbin"])
    return shutil.which(name, path=places)
