"""Download: a file of known SHA-256 comes over HTTP, whole and checked, or not at all.

A transfer that is cut goes on where it was, now or in the next run (range requests of RFC 9110,
section 14, guarded by If-Range where the server names a version); a server that knows no ranges
starts over. What was loaded lies in `<target>.part` until its checksum is right.
"""

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from kws import storage
from kws.audio.part_file import PartFile
from kws.errors import KwsError

ATTEMPTS = 5
"""Failures in a row, without a byte gained between them, after which a download gives up."""
BACKOFF_S = 1.0
"""Pause after the first failure; it doubles with every further one."""
TIMEOUT_S = 60.0
MAX_BYTES = 256 << 30
"""Of a file: a server that never ends is left before it has filled the disk."""
_SCHEMES = ("http", "https")
_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)
_RANGE_NOT_SATISFIABLE = 416

Progress = Callable[[int, int], None]
"""Called with bytes loaded and bytes in all (0 where the server does not say)."""


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
    url: str,
    target: Path,
    sha256: str,
    progress: Progress | None = None,
    *,
    attempts: int = ATTEMPTS,
    backoff_s: float = BACKOFF_S,
    timeout_s: float = TIMEOUT_S,
) -> Path:
    """Loads a file; one that is at its place already is not loaded again.

    Args:
      url: http or https.
      target: where it goes; its folder is made.
      sha256: 64 hex digits of its content.
      progress: see `Progress`.
      attempts, backoff_s, timeout_s: see the constants.

    Returns:
      `target`.

    Raises:
      KwsError: the address is wrong or gives up, the checksum is another, the disk is full.
    """
    if urllib.parse.urlsplit(url).scheme not in _SCHEMES:
        raise KwsError(f"{url} is no http or https address")
    if target.exists():
        return target
    part = PartFile.beside(target)
    with storage.lock(target.with_name(f".{target.name}.lock"), f"a download of {target.name}"):
        if target.exists():  # loaded while this process waited
            return target
        part.path.touch()
        resumed = part.size > 0
        _load(url, part, progress, attempts, backoff_s, timeout_s)
        found = part.sha256
        if found != sha256 and resumed:
            # The two halves may be of different versions: once more, from nothing.
            part.forget()
            _load(url, part, progress, attempts, backoff_s, timeout_s)
            found = part.sha256
        if found != sha256:
            part.remove()
            raise KwsError(
                f"{url} is not the expected file: its SHA-256 is {found}, not {sha256}",
                hint="nothing of it was kept; the file has changed, or something is in between",
            )
        part.become(target)
    return target


def _load(
    url: str,
    part: PartFile,
    progress: Progress | None,
    attempts: int,
    backoff_s: float,
    timeout_s: float,
) -> None:
    """Fills the part, however often the connection breaks, while every try brings something."""
    failures = 0
    while True:
        before = part.size
        try:
            _continue(url, part, progress, timeout_s)
            return
        except _Cut as cut:
            failures = 1 if part.size > before else failures + 1
            if failures >= attempts:
                raise KwsError(
                    f"{url}: {cut}, {attempts} times in a row",
                    hint=f"{part.size} bytes are kept in {part.path}; the next run goes on there",
                ) from cut
            time.sleep(backoff_s * 2 ** (failures - 1))


def _continue(url: str, part: PartFile, progress: Progress | None, timeout_s: float) -> None:
    """One request: the rest of the file, or all of it if the server gives no rest."""
    have = part.size
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        if version := part.version(url):
            request.add_header("If-Range", version)
    try:
        with urllib.request.build_opener(Redirects).open(request, timeout=timeout_s) as response:
            _receive(url, response, part, have, progress)
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


def _receive(
    url: str,
    response: http.client.HTTPResponse,
    part: PartFile,
    have: int,
    progress: Progress | None,
) -> None:
    have, total = _position(response, have)
    if not have:
        part.forget()
    tag = response.headers.get("ETag", "")
    # A weak tag may stand for other bytes; the date of the last change will do.
    version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
    if version:
        part.note_version(url, version)
    part.check_room(total - have, url)
    for size in part.append(response, have, total):
        have = size
        if have > MAX_BYTES:
            part.forget()
            raise KwsError(f"{url}: the server sends more than {MAX_BYTES} bytes")
        if progress is not None:
            progress(have, total)
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
