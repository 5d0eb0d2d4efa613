"""Downloads a file of known checksum over HTTP, complete and verified, or not at all.

An interrupted transfer resumes, now or in the next run (range requests of RFC 9110, section 14,
guarded by If-Range if the server names a version); a server without ranges starts over. Data is
collected in `<target>.part`, together with the version it belongs to, until its checksum is
right; the checksum is computed as bytes arrive. If one address fails, the next one is tried. Two
processes that want the same file download it once.
"""

import contextlib
import errno
import hashlib
import http.client
import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from kws import storage
from kws.errors import KwsError

_CHUNK_BYTES = 1 << 18
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ROOM = "make room, or let KWS_CACHE name a folder on a larger disk"


class NoRoom(KwsError):
    """The disk is full, or would be."""


def check_room(folder: Path, missing: int, what: str) -> None:
    """Refuses to begin what cannot fit.

    Raises:
      NoRoom: fewer bytes are free in the folder than are missing of what is to come.
    """
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise NoRoom(
            f"{what}: {missing} more bytes are needed in {folder}, {free} are free", hint=_ROOM
        )


class PartFile:
    """`<target>.part`, and `<target>.part.json` with the server's name of the version.

    Attributes:
      path: of the part.
    """

    def __init__(self, path: Path, algorithm: str = "sha256"):
        """Looks at nothing yet.

        Args:
          path: of the part.
          algorithm: of the checksum, as `hashlib` names it.
        """
        self.path = path
        self._algorithm = algorithm
        self._hash = hashlib.new(algorithm)
        self._hashed = 0

    @classmethod
    def beside(cls, target: Path, algorithm: str = "sha256") -> "PartFile":
        return cls(target.with_name(target.name + ".part"), algorithm)

    @property
    def size(self) -> int:
        """Bytes loaded so far."""
        return self.path.stat().st_size

    @property
    def checksum(self) -> str:
        """Of what is there; reads only what was not written here."""
        self._hash_up_to(self.size)
        return self._hash.hexdigest()

    def _hash_up_to(self, size: int) -> None:
        """Brings the checksum to the first `size` bytes of the file."""
        if self._hashed > size:
            self._hash, self._hashed = hashlib.new(self._algorithm), 0
        if self._hashed == size:
            return
        with self.path.open("rb") as file:
            file.seek(self._hashed)
            while self._hashed < size and (
                chunk := file.read(min(_CHUNK_BYTES, size - self._hashed))
            ):
                self._hash.update(chunk)
                self._hashed += len(chunk)

    def append(self, source: BinaryIO, have: int, total: int) -> Iterator[int]:
        """Writes all of a source from byte `have` on; yields the size reached, from `have` on.

        Raises:
          NoRoom: the disk is full; names the bytes that are missing of `total`, if that is known.
        """
        self._hash_up_to(have)
        with self.path.open("r+b") as file:
            file.seek(have)
            yield have
            while chunk := source.read(_CHUNK_BYTES):
                try:
                    file.write(chunk)
                    file.flush()
                except OSError as error:
                    if error.errno in _DISK_FULL:
                        raise self._full(total - have) from error
                    raise
                have += len(chunk)
                self._hash.update(chunk)
                self._hashed = have
                yield have

    def forget(self) -> None:
        """Empties the file."""
        with self.path.open("r+b") as file:
            file.truncate(0)
        self._hash, self._hashed = hashlib.new(self._algorithm), 0
        self._notes.unlink(missing_ok=True)

    def remove(self) -> None:
        self.path.unlink()
        self._notes.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """The file is whole: it goes to its place."""
        self.path.rename(target)
        self._notes.unlink(missing_ok=True)

    def note_version(self, url: str, version: str) -> None:
        """Keeps the server's name of the version that is being loaded."""
        with contextlib.suppress(OSError):  # A help only: the checksum decides.
            self._notes.write_text(json.dumps({"url": url, "version": version}))

    def version(self, url: str) -> str | None:
        """The version noted for this address, if any."""
        try:
            notes = json.loads(self._notes.read_text())
        except (OSError, ValueError):
            return None
        return notes.get("version") if notes.get("url") == url else None

    @property
    def _notes(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def _full(self, missing: int) -> KwsError:
        needed = f"{missing} more bytes are" if missing > 0 else "more room is"
        return NoRoom(
            f"{self.path} cannot be written on: the disk is full, {needed} needed",
            hint=f"{_ROOM}; the next run goes on where this one stopped",
        )


ATTEMPTS = 5
"""Failures in a row, without a byte gained between them, after which a download gives up."""
BACKOFF_S = 1.0
"""Pause after the first failure; it doubles with every further one."""
TIMEOUT_S = 60.0
MAX_BYTES = 256 << 30
"""Of a file: a server that never ends is left before it has filled the disk."""
USER_AGENT = "kws-pipeline"
"""Some servers refuse urllib's own."""
_SCHEMES = ("http", "https")
_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)
_RANGE_NOT_SATISFIABLE = 416

Progress = Callable[[int, int], None]
"""Called with bytes loaded and bytes in all (0 where the server does not say)."""


class Checksum(NamedTuple):
    """Of a file's content.

    Attributes:
      algorithm: as `hashlib` names it.
      value: hexadecimal digits.
    """

    algorithm: Literal["sha256", "sha1", "md5"]
    value: str

    @property
    def title(self) -> str:
        """As people write it: SHA-256."""
        return {"sha256": "SHA-256", "sha1": "SHA-1", "md5": "MD5"}[self.algorithm]


class _Cut(Exception):
    """The connection broke, or the server is busy: worth another try."""


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects over HTTP, and from HTTPS to HTTPS only."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        before, after = (urllib.parse.urlsplit(u).scheme for u in (req.full_url, newurl))
        if after not in _SCHEMES or (before == "https" and after != "https"):
            raise KwsError(f"{req.full_url} redirects to {newurl}: from {before} to {after}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(
    urls: str | Sequence[str],
    target: Path,
    checksum: Checksum,
    progress: Progress | None = None,
    *,
    attempts: int = ATTEMPTS,
    backoff_s: float = BACKOFF_S,
    timeout_s: float = TIMEOUT_S,
    room_factor: float = 1.0,
) -> Path:
    """Loads a file; one that is at its place already is not loaded again.

    Args:
      urls: http or https; of several, the next is asked if one fails or has another file.
      target: where it goes; its folder is made.
      checksum: of its content.
      progress: see `Progress`.
      attempts: see `ATTEMPTS`.
      backoff_s: see `BACKOFF_S`.
      timeout_s: how long a server may be silent.
      room_factor: how many times its size must be free on the disk, as for an archive that is
        unpacked beside it.

    Returns:
      `target`.

    Raises:
      KwsError: every address is wrong or gives up, the checksum is another, the disk is full.
    """
    urls = [urls] if isinstance(urls, str) else list(urls)
    for url in urls:
        if urllib.parse.urlsplit(url).scheme not in _SCHEMES:
            raise KwsError(f"{url} is no http or https address")
    if target.exists():
        return target
    part = PartFile.beside(target, checksum.algorithm)
    loader = _Loader(part, progress, attempts, backoff_s, timeout_s, room_factor)
    with storage.lock(target.with_name(f".{target.name}.lock"), f"a download of {target.name}"):
        if target.exists():  # loaded while this process waited
            return target
        part.path.touch()
        for place, url in enumerate(urls, start=1):
            try:
                loader.load(url, checksum)
                break
            except NoRoom:
                raise
            except KwsError as error:
                if place < len(urls):
                    continue
                if not part.size:
                    part.remove()
                if len(urls) == 1:
                    raise
                message = f"{error.message}; {len(urls) - 1} other addresses failed before"
                raise KwsError(message, error.hint) from error
        part.become(target)
    return target


class _Loader:
    """Fills a part file from an address."""

    def __init__(
        self,
        part: PartFile,
        progress: Progress | None,
        attempts: int,
        backoff_s: float,
        timeout_s: float,
        room_factor: float,
    ):
        self._part = part
        self._progress = progress
        self._attempts = attempts
        self._backoff_s = backoff_s
        self._timeout_s = timeout_s
        self._room_factor = room_factor

    def load(self, url: str, checksum: Checksum) -> None:
        """Loads the file until its checksum is right.

        Raises:
          KwsError: the address gives up, or has another file, of which nothing is kept; `NoRoom`
            where the disk is full.
        """
        part = self._part
        resumed = part.size > 0
        self._fill(url)
        if part.checksum != checksum.value and resumed:
            # The two halves may be of different versions: once more, from nothing.
            part.forget()
            self._fill(url)
        found = part.checksum
        if found != checksum.value:
            part.forget()
            raise KwsError(
                f"{url} is not the expected file: its {checksum.title} is {found}, not "
                f"{checksum.value}",
                hint="nothing of it was kept; the file has changed, or something is in between",
            )

    def _fill(self, url: str) -> None:
        """Fills the part, however often the connection breaks, while every try gains something."""
        part = self._part
        failures = 0
        while True:
            before = part.size
            try:
                self._continue(url)
                return
            except _Cut as cut:
                failures = 1 if part.size > before else failures + 1
                if failures >= self._attempts:
                    raise KwsError(
                        f"{url}: {cut}, {self._attempts} times in a row",
                        hint=f"{part.size} bytes are kept in {part.path}; the next run goes on "
                        "there",
                    ) from cut
                time.sleep(self._backoff_s * 2 ** (failures - 1))

    def _continue(self, url: str) -> None:
        """One request: the rest of the file, or all of it if the server gives no rest."""
        part = self._part
        have = part.size
        headers = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        request = urllib.request.Request(url, headers=headers)
        if have:
            request.add_header("Range", f"bytes={have}-")
            if version := part.version(url):
                request.add_header("If-Range", version)
        opener = urllib.request.build_opener(Redirects)
        try:
            with opener.open(request, timeout=self._timeout_s) as response:
                self._receive(url, response, have)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == _RANGE_NOT_SATISFIABLE and have:
                if error.headers.get("Content-Range", "").strip() == f"bytes */{have}":
                    return  # All of it is here: the last try broke off after the last byte.
                part.forget()
                raise _Cut("the server refuses to go on") from error
            if error.code in _WORTH_ANOTHER_TRY:
                raise _Cut(f"HTTP status {error.code}") from error
            raise KwsError(f"{url}: HTTP status {error.code} {error.reason}") from error
        except urllib.error.URLError as error:
            raise _Cut(str(error.reason)) from error
        except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
            raise _Cut(str(error) or type(error).__name__) from error

    def _receive(self, url: str, response: http.client.HTTPResponse, have: int) -> None:
        part = self._part
        have, total = _position(response, have)
        if not have:
            part.forget()
        tag = response.headers.get("ETag", "")
        # A weak tag may stand for other bytes; the date of the last change will do.
        version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
        if version:
            part.note_version(url, version)
        missing = total - have + round((self._room_factor - 1) * total)
        check_room(part.path.parent, missing, url)
        for size in part.append(response, have, total):
            have = size
            if have > MAX_BYTES:
                part.forget()
                raise KwsError(f"{url}: the server sends more than {MAX_BYTES} bytes")
            if self._progress is not None:
                self._progress(have, total)
        if have < total:
            raise _Cut(f"the connection broke at byte {have} of {total}")


def _position(response: http.client.HTTPResponse, have: int) -> tuple[int, int]:
    """Where the answer begins, and the length of the whole file (0: unknown)."""
    if response.status != http.client.PARTIAL_CONTENT:
        return 0, int(response.headers.get("Content-Length") or 0)
    span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    first = span.partition("-")[0]
    if first != str(have):
        raise _Cut(f"the server was asked for bytes {have}-, and gave {span or 'no range'}")
    return have, int(total) if total.isdigit() else 0
