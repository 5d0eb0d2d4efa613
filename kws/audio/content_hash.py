"""Content hash: what is in the files of a folder, whatever their times and wherever it lies."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

_BLOCK = 1 << 20


def content_hash(folder: Path, names: Iterable[str]) -> str:
    """32 hex digits over names and bytes of files in a folder; every file is read.

    Args:
      folder: what the names are relative to.
      names: of the files; one that is not there is part of the hash too.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(names):
        digest.update(f"{name}\0{_of_file(folder / name)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _of_file(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return "missing"
    return digest.hexdigest()
