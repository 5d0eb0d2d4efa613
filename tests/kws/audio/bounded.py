"""Reads files from elsewhere in a process that may take so many megabytes and no more.

    python -m tests.kws.audio.bounded MEGABYTES audio|archive FILE ...

prints a JSON list: for each file what came of it, by its class and its reason or sentence.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

TIMEOUT_S = 60
_MEGABYTE = 1 << 20


def outcomes(kind: str, files: Sequence[Path], megabytes: int) -> list[str]:
    """What came of each; a file that ends the process ends the test."""
    command = [sys.executable, "-m", "tests.kws.audio.bounded", str(megabytes), kind]
    result = subprocess.run(
        [*command, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        # One thread: each reserves memory of its own, which counts.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return list(json.loads(result.stdout))


def limit(megabytes: int) -> None:
    """So much more than what is taken already."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + megabytes * _MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _audio(file: str) -> str:
    from kws.audio.container import Unreadable
    from kws.audio.read import duration_ms, read, read_window

    try:
        duration_ms(file)
        read_window(file, 0, 1000)
        return f"read {read(file).audio.size}"
    except Unreadable as error:
        return error.reason


def _archive(file: str) -> str:
    from kws.corpus.archive import unpack
    from kws.errors import KwsError

    with tempfile.TemporaryDirectory() as folder:
        try:
            unpacked = unpack(file, folder)
            return f"unpacked {sum(path.is_file() for path in unpacked.rglob('*'))}"
        except KwsError as error:
            left = [path.name for path in Path(folder).iterdir()]
            assert not left, left
            return error.message.replace(file, "IT")


def main() -> None:
    """See the head of the file."""
    megabytes, kind, *files = sys.argv[1:]
    import kws.audio.read  # noqa: F401  # what is imported is not counted

    look = _audio if kind == "audio" else _archive
    limit(int(megabytes))
    found = []
    for file in files:
        try:
            found.append(look(file))
        except MemoryError:
            found.append("MemoryError")
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
