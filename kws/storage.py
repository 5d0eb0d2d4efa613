"""Files that processes share: each appears whole or not at all, and has one writer at a time.

    with lock(cache_root() / "corpora" / ".abc.lock", "the synthesis of the voices"):
        with atomic_folder(cache_root() / "corpora" / "abc") as folder:
            ...  # a reader sees all of it once this block has ended, and nothing of it before

The operating system releases a lock when its holder ends, however it ends: a lock file that a
killed process left behind locks nothing. A writer that is killed leaves a file or folder
`.NAME....part`, which readers pass over and the next writer that holds the lock removes
(`remove_leftovers`).
"""

import contextlib
import contextvars
import datetime
import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from kws.errors import KwsError

_PART = ".part"
_NAME_CHARACTERS = 48
"""Of the target's name in a temporary one: a file name has room for 255 bytes."""
_NO_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
_HELD_BY_OTHERS = (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN)


class Busy(KwsError):
    """Another process holds the lock, and waiting for it was not wanted."""


def cache_root() -> Path:
    """Voices, unpacked archives and whatever else all runs of a user share: `$KWS_CACHE`, or
    `~/.cache/kws`."""
    return Path(os.environ.get("KWS_CACHE") or Path.home() / ".cache" / "kws")


@contextlib.contextmanager
def atomic_file(target: Path, *, durable: bool = False) -> Iterator[Path]:
    """A private temporary file beside the target, which replaces it when the block ends well.

    Args:
      target: its folder is made where it is missing.
      durable: the content is on the disk before the target has its name, so that not even a power
        cut leaves an empty file there.

    A device or a pipe (`/dev/stdout`) is written to as it is: it cannot be replaced by a file.
    """
    if _is_device(target):
        yield target
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(target)
    try:
        # Not mkstemp: its files can be read by their owner alone, whatever the umask says.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        error.filename = os.fspath(target)  # the name that the user knows
        raise
    try:
        yield temporary
        if durable:
            sync(temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync(target.parent)


def _is_device(target: Path) -> bool:
    """Whether it is there and is neither a file nor a folder; or stands for an open file."""
    if target.parent in (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd")):
        return target.exists()
    return target.exists() and not target.is_file() and not target.is_dir()


def atomic_write(target: Path, content: bytes | str, *, durable: bool = False) -> None:
    """Writes a file, whole or not at all; text as UTF-8."""
    with atomic_file(target, durable=durable) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def atomic_folder(target: Path, *, replace: bool = True) -> Iterator[Path]:
    """A private empty folder beside the target, which takes its place when the block ends well.

    Args:
      target: the folder above it is made where it is missing.
      replace: a folder with files in it that is there by then is removed; else FileExistsError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(target)
    temporary.mkdir()
    try:
        yield temporary
        while not _rename_folder(temporary, target):
            if not replace:
                raise FileExistsError(errno.EEXIST, "is not empty", str(target))
            aside = _temporary(target)
            with contextlib.suppress(FileNotFoundError):  # another writer has moved it aside
                target.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _rename_folder(folder: Path, target: Path) -> bool:
    """False where a folder with files in it is in the way."""
    try:
        folder.rename(target)  # takes the place of an empty folder, too
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def remove_leftovers(target: Path) -> None:
    """Removes what killed writers of the target left beside it; only for who holds its lock."""
    ours = re.compile(rf"{re.escape(_prefix(target))}\d+-[0-9a-f]{{8}}{re.escape(_PART)}")
    for path in list(target.parent.iterdir()):
        if ours.fullmatch(path.name):
            remove(path)


def remove(path: Path) -> None:
    """Removes a file, or a folder with all that is in it; one that is gone already is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """fsync of a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_Announce = Callable[[str], None]
_announce: contextvars.ContextVar[_Announce] = contextvars.ContextVar(
    "announce", default=lambda text: print(text, file=sys.stderr, flush=True)
)
_held: dict[tuple[str, int], int] = {}
"""Locks by path and thread -> how often the thread has entered them."""


@contextlib.contextmanager
def announce_waiting(say: _Announce) -> Iterator[None]:
    """While it lasts, `lock` says by this function that it waits, and not on standard error."""
    token = _announce.set(say)
    try:
        yield
    finally:
        _announce.reset(token)


@contextlib.contextmanager
def lock(file: Path, what: str, *, wait: bool = True) -> Iterator[None]:
    """Holds a lock as long as the context lasts; the thread that holds it may enter it again.

    Args:
      file: made if missing, says who holds the lock, and is removed by the last holder.
      what: is done by the holder, for the message: "a run of quickstart".
      wait: says who holds it and waits for them; else raises Busy.

    Raises:
      Busy: another process, or another thread, holds it.
      KwsError: the file cannot be made or locked.
    """
    key = (os.path.realpath(file), threading.get_ident())
    if key in _held:
        _held[key] += 1
        try:
            yield
        finally:
            _held[key] -= 1
        return
    descriptor = _acquire(file, what, wait)
    _held[key] = 1
    try:
        yield
    finally:
        del _held[key]
        with contextlib.suppress(OSError):
            file.unlink()  # before it is released: see `_acquire`
        os.close(descriptor)


def _acquire(file: Path, what: str, wait: bool) -> int:
    """The descriptor of the lock file, locked, with the holder's name in it.

    The holder before may have removed the file while this process waited for it: then what was
    locked is not what others will find under that name, and it is tried again.
    """
    while True:
        descriptor = _open(file)
        try:
            _flock(descriptor, file, what, wait)
            if _is_at(descriptor, file):
                _write_holder(descriptor)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open(file: Path) -> int:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno in _NO_PLACE:
            raise KwsError(
                f"{file} cannot be written: {error.strerror}",
                hint="choose a folder you may write to",
            ) from error
        raise


def _is_at(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(file))
    except FileNotFoundError:
        return False


def _flock(descriptor: int, file: Path, what: str, wait: bool) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except OSError as error:
        if error.errno not in _HELD_BY_OTHERS:
            raise KwsError(
                f"{file} cannot be locked: {error.strerror}",
                hint="its file system has no locks: choose a folder on another one",
            ) from error
    holder = _holder(descriptor)
    if not wait:
        raise Busy(f"{what} is in progress in {file.parent} ({holder})")
    _announce.get()(f"Waiting: {what} is in progress in {file.parent} ({holder})")
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def _write_holder(descriptor: int) -> None:
    now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": now}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode() + b"\n", 0)


def _holder(descriptor: int) -> str:
    """`process 17 on build-3 since 2025-03-01 10:00:00`."""
    try:
        found = json.loads(os.pread(descriptor, 4096, 0))
        since = datetime.datetime.fromisoformat(found["since"]).astimezone()
        return f"process {found['pid']} on {found['host']} since {since:%Y-%m-%d %H:%M:%S}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"  # It has the lock, and has not yet written its name.


def _temporary(target: Path) -> Path:
    return target.with_name(f"{_prefix(target)}{os.getpid()}-{secrets.token_hex(4)}{_PART}")


def _prefix(target: Path) -> str:
    name = target.name
    if len(name) > _NAME_CHARACTERS:
        name = name[:_NAME_CHARACTERS] + hashlib.sha256(name.encode()).hexdigest()[:8]
    return f".{name}."
