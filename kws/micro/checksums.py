"""`SHA256SUMS` of a folder, in the format of `sha256sum -c`."""

import hashlib
import re
from pathlib import Path

from kws.errors import KwsError

SUMS_FILE = "SHA256SUMS"
_LINE = re.compile("([0-9a-f]{64})  (.+)")


def write(folder: Path) -> None:
    """Lists every file below the folder."""
    lines = [f"{_digest(folder / name)}  {name}\n" for name in _files(folder)]
    (folder / SUMS_FILE).write_text("".join(lines))


def verify(folder: Path) -> None:
    """Checks that the folder holds the files that were listed, and nothing else.

    Raises:
      KwsError: names the first that is missing, changed or not listed; a link, which may lead
        anywhere, and an empty folder were never listed.
    """
    listed = _listed(folder)
    found = set(_files(folder))
    for name in sorted(found | set(listed)):
        if name not in found:
            raise KwsError(f"{folder / name} is missing, but {SUMS_FILE} lists it")
        if name not in listed:
            raise KwsError(f"{folder / name} is not listed in {SUMS_FILE}")
        if _digest(folder / name) != listed[name]:
            raise KwsError(f"{folder / name} is not the file that was pushed: its checksum differs")


def _listed(folder: Path) -> dict[str, str]:
    """Name -> digest, as `SHA256SUMS` has them."""
    if not (folder / SUMS_FILE).is_file():
        raise KwsError(f"{folder} has no {SUMS_FILE}: it is no bundle")
    content = (folder / SUMS_FILE).read_text("utf-8", errors="replace")
    listed: dict[str, str] = {}
    for number, line in enumerate(content.splitlines(), 1):
        parts = _LINE.fullmatch(line)
        if parts is None or parts[2] in listed:
            why = "is not a checksum and a name" if parts is None else f"names {parts[2]!r} again"
            raise KwsError(f"{folder / SUMS_FILE}: line {number} {why}")
        listed[parts[2]] = parts[1]
    return listed


def _files(folder: Path) -> list[str]:
    """Every file below the folder, by its name inside.

    Raises:
      KwsError: there is something else: a link, an empty folder, a pipe.
    """
    names = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise KwsError(f"{path} is a link, and no file of a bundle")
        if path.is_dir():
            if not any(path.iterdir()):
                raise KwsError(f"{path} is an empty folder, which no bundle has")
        elif not path.is_file():
            raise KwsError(f"{path} is not a file")
        else:
            names.append(path.relative_to(folder).as_posix())
    return sorted(name for name in names if name != SUMS_FILE)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
