"""A real MariaDB for tests: a user without rights, a free port, a folder that goes away."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

USER, PASSWORD, DATABASE = "kws", "a secret / of 1 \\ team", "kws_metadata"
UNPRIVILEGED = "nobody"
_START_S = 30.0


class Server:
    """One that runs.

    Attributes:
      port: on 127.0.0.1; the database DATABASE is there and empty, USER may do all in it.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def sql(self, text: str) -> None:
        """As the administrator."""
        self._client("mariadb", "-e", text)

    def dump(self) -> str:
        """All that is in the database."""
        return self._client("mariadb-dump", DATABASE)

    def _client(self, tool: str, *arguments: str) -> str:
        command = [_tool(tool), "--no-defaults", "-u", "root", "-S", str(self._folder / "socket")]
        return subprocess.run(
            [*command, *arguments], check=True, capture_output=True, text=True
        ).stdout


def missing() -> str | None:
    """Why there can be no server here; None if there can."""
    needed = ("mariadb-install-db", "mariadbd", "mariadb")
    absent = [name for name in needed if _find(name) is None]
    return f"no MariaDB here: {', '.join(absent)} missing" if absent else None


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Starts one, and stops it."""
    # Not pytest's folder: only its owner may enter that, and the server is somebody else.
    folder = Path(tempfile.mkdtemp(prefix="kws-server-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, UNPRIVILEGED)
        made = Server(folder)
        process = _mariadb(made, folder)
        try:
            yield made
        finally:
            process.terminate()
            process.wait(_START_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mariadb(made: Server, folder: Path) -> subprocess.Popen:
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
                raise RuntimeError(f"MariaDB does not start: {error.stderr}\n{log}") from error
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
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
