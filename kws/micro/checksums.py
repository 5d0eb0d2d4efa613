"""`SHA256SUMS` of a folder, in the format of `sha256sum -c`."""

import hashlib
from pathlib import Path

from kws.errors import KwsError

SUMS_FILE = "SHA256SUMS"


def write(folder: Path) -> None:
    """Lists every file below the folder."""
    lines = [f"{_digest(folder / name)}  {name}\n" for name in _files(folder)]
    (folder / SUMS_FILE).write_text("".join(lines))


def verify(folder: Path) -> None:
    """Raises KwsError naming the first file that is missing, changed or not listed."""
    if not (folder / SUMS_FILE).is_file():
        raise KwsError(f"{folder} has no {SUMS_FILE}: it is no bundle")
    listed = {}
    for line in (folder / SUMS_FILE).read_text().splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    found = set(_files(folder))
    for name in sorted(found | set(listed)):
        if name not in found:
            raise KwsError(f"{folder / name} is missing, but {SUMS_FILE} lists it")
        if name not in listed:
            raise KwsError(f"{folder / name} is not listed in {SUMS_FILE}")
        if _digest(folder / name) != listed[name]:
            raise KwsError(f"{folder / name} is not the file that was pushed: its checksum differs")


def _files(folder: Path) -> list[str]:
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in paths if name != SUMS_FILE)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
