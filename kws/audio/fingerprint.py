"""Fingerprint: have the files of a folder changed, going by their names, sizes and times?"""

import hashlib
import os
from collections.abc import Iterable


def fingerprint(folder: str | os.PathLike[str], names: Iterable[str]) -> str:
    """16 hex digits over name, size and modification time (ns) of files in a folder.

    Args:
      folder: what the names are relative to.
      names: of the files; one that is not there is part of the fingerprint too.
    """
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(names):
        try:
            state = os.stat(os.path.join(folder, name))
            size, time_ns = state.st_size, state.st_mtime_ns
        except OSError:
            size, time_ns = -1, 0
        digest.update(f"{name}\0{size}\0{time_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
