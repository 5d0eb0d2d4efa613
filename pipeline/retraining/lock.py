"""Only one at a time: a lock that the system lets go of when its holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kws.errors import KwsError


class Busy(KwsError):
    """Somebody else holds the lock."""


@contextmanager
def only_one(file: Path, what: str) -> Iterator[None]:
    """Holds the lock as long as the context lasts.

    Args:
      file: made if missing, and left there; says who holds it.
      what: is done meanwhile, for the error.

    Raises:
      Busy: another process holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise Busy(
                f"{what} goes on in {file.parent} already ({holder})",
                hint="it is left alone: two would disturb each other",
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}\n")
        lock.flush()
        yield
