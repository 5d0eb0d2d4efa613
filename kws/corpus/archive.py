"""Unpacks a `.tar.gz`, `.tar`, `.tgz` or `.zip` archive safely into a folder.

An archive is untrusted input: nothing is written outside the folder, links and devices are
refused, size and number of files are bounded by what actually comes out (headers may lie), memory
is bounded whatever the headers say, and the folder appears in full or not at all.

Of a zip archive the end of central directory record is checked in its old and 64-bit form
(PKWARE's .ZIP File Format Specification, sections 4.3.14 to 4.3.16) before Python reads the whole
list into memory; names follow section 4.4.17 and appendix D, which many programs do not.
"""

import hashlib
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from kws import storage
from kws.corpus import tar_stream
from kws.corpus.listing import is_hidden, kind_of
from kws.errors import KwsError

_END, _END_BYTES = b"PK\x05\x06", 22
_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20
_END_64, _END_64_BYTES = b"PK\x06\x06", 56
_MAX_COMMENT = 0xFFFF
_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075
"""Info-ZIP's extra field (section 4.6.9): a name in UTF-8, and the CRC of the one it replaces."""


def directory_bytes(file: IO[bytes]) -> int:
    """Bytes of the list of members; 0 where there is no such record, which is no zip then.

    Args:
      file: seekable; is left at any position.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _END_BYTES - _MAX_COMMENT)
    file.seek(start)
    tail = file.read()
    position = tail.rfind(_END)
    if position < 0 or position + _END_BYTES > len(tail):
        return 0
    (found,) = struct.unpack_from("<L", tail, position + 12)
    locator = start + position - _LOCATOR_BYTES
    if locator < 0:
        return int(found)
    file.seek(locator)
    record = file.read(_LOCATOR_BYTES)
    if not record.startswith(_LOCATOR):
        return int(found)
    (where,) = struct.unpack_from("<Q", record, 8)
    # Python looks before the locator, whatever the locator says; both are looked at.
    sizes = [int(found)]
    for place in {int(where), locator - _END_64_BYTES}:
        if 0 <= place <= size - _END_64_BYTES:
            file.seek(place)
            end = file.read(_END_64_BYTES)
            if end.startswith(_END_64):
                sizes.append(int(struct.unpack_from("<Q", end, 40)[0]))
    return max(sizes)


def member_count(file: IO[bytes]) -> int | None:
    """How many members the end record says that there are; None where it leaves that to the 64-bit
    form, or there is no such record.

    Args:
      file: seekable; is left at any position.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_BYTES - _MAX_COMMENT))
    tail = file.read()
    position = tail.rfind(_END)
    if position < 0 or position + _END_BYTES > len(tail):
        return None
    (found,) = struct.unpack_from("<H", tail, position + 10)
    return None if found == 0xFFFF else int(found)


def member_name(info: zipfile.ZipInfo) -> str:
    """The name of a member with `/` between folders; that of a folder ends in one.

    Windows programs write backslashes. A name without the flag of UTF-8 is UTF-8 where it can be,
    as macOS and Linux write it, else of code page 437, as the specification says.
    """
    return _decoded(info).replace("\\", "/")


def _decoded(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & _UTF8_FLAG:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")  # what Python decoded it from
    named = _unicode_path(info.extra, raw)
    try:
        return (named or raw).decode("utf-8")
    except UnicodeDecodeError:
        return info.orig_filename


def _unicode_path(extra: bytes, raw: bytes) -> bytes | None:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        content, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(content) >= 5:
            version, crc = struct.unpack_from("<BL", content)
            if version == 1 and crc == zlib.crc32(raw):
                return content[5:]
    return None


SUFFIXES = (".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tar.xz", ".zip")
MAX_TOTAL_BYTES = 64 << 30
MAX_FILES = 2_000_000
MAX_RATIO = 50
"""Bytes that may come out of one byte of the archive, on average; sound does not pack so well."""
MAX_DIRECTORY_BYTES = 256 << 20
"""Of a zip's list of members, which is read at once: two million of them."""
_FREE_BYTES = 64 << 20
"""So much may come out of any archive, even of one of silence."""
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
"""Not LZMA: it takes as much memory as the archive asks for."""
_CHUNK_BYTES = 1 << 20
_FILES_A_REPORT = 200
_DIGITS = 16

_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
)
"""RuntimeError: a zip with a password. EOFError: a gzip that breaks off. ValueError, struct.error:
numbers in headers that are none."""

Member = tuple[str, Callable[[], IO[bytes]]]
Progress = Callable[[int, int], None]
"""Called with bytes of the archive that are behind, and its bytes in all."""


def is_archive(path: str | os.PathLike[str]) -> bool:
    """By its name."""
    return str(path).lower().endswith(SUFFIXES)


def unpack(
    archive: str | os.PathLike[str],
    into: str | os.PathLike[str],
    progress: Progress | None = None,
    *,
    sha256: str | None = None,
    max_total_bytes: int = MAX_TOTAL_BYTES,
    max_files: int = MAX_FILES,
) -> Path:
    """Unpacks an archive into `<into>/<SHA-256 of its content, 16 digits>/`.

    The same content is unpacked once: a second call returns the folder that is there.

    Args:
      archive: the file.
      into: a folder of unpacked archives.
      progress: see `Progress`.
      sha256: of the archive, if it is known already.
      max_total_bytes: more than this together is refused.
      max_files: more files than this are refused.

    Returns:
      The corpus in it: the folder itself, or the one folder that everything lies in.

    Raises:
      KwsError: names the archive, the member and what is wrong with it.
    """
    archive, into = Path(archive), Path(into)
    _check_name(archive)
    target = into / (sha256 or _digest(archive))[:_DIGITS]
    unpack_to(archive, target, progress, max_total_bytes=max_total_bytes, max_files=max_files)
    return corpus_folder(target)


def unpack_to(
    archive: Path,
    target: Path,
    progress: Progress | None = None,
    *,
    wanted: Callable[[str], bool] | None = None,
    max_total_bytes: int = MAX_TOTAL_BYTES,
    max_files: int = MAX_FILES,
) -> None:
    """Unpacks an archive into a folder, which appears whole or not at all; one that is there stays.

    Args:
      archive: the file.
      target: the folder.
      progress: see `Progress`.
      wanted: says by its name whether a member is unpacked; the others are passed over, whatever
        they are. None: all are.
      max_total_bytes: more than this together is refused.
      max_files: more files than this are refused.

    Raises:
      KwsError: names the archive, the member and what is wrong with it.
    """
    _check_name(archive)
    if target.is_dir():
        return
    lock_file = target.with_name(f".{target.name}.lock")
    with storage.lock(lock_file, f"the unpacking of {archive.name}"):
        if target.is_dir():  # unpacked while this process waited
            return
        storage.remove_leftovers(target)
        try:
            with storage.atomic_folder(target) as folder, archive.open("rb") as file:
                _extract(archive, file, folder, max_total_bytes, max_files, progress, wanted)
        except _BROKEN as error:
            raise KwsError(f"{archive} cannot be unpacked: {error}") from error


def unpacked(sha256: str, into: str | os.PathLike[str]) -> Path | None:
    """The corpus of an archive of known SHA-256 if it has been unpacked; else None."""
    target = Path(into) / sha256[:_DIGITS]
    return corpus_folder(target) if target.is_dir() else None


def corpus_folder(folder: Path) -> Path:
    """Steps into folders that hold nothing but one folder, yet not into the folder of a word."""
    while True:
        entries = [entry for entry in folder.iterdir() if not is_hidden(entry.name)]
        if len(entries) != 1 or not entries[0].is_dir():
            return folder
        if any(kind_of(entry.name) == "recording" for entry in entries[0].iterdir()):
            return folder
        folder = entries[0]


def _extract(
    archive: Path,
    file: IO[bytes],
    folder: Path,
    max_total_bytes: int,
    max_files: int,
    progress: Progress | None,
    wanted: Callable[[str], bool] | None,
) -> None:
    members = _zip_members if archive.name.lower().endswith(".zip") else _tar_members
    archive_bytes = archive.stat().st_size
    max_total_bytes = min(max_total_bytes, _FREE_BYTES + MAX_RATIO * archive_bytes)
    total_bytes = 0
    for count, (name, open_member) in enumerate(members(archive, file, wanted), start=1):
        if count > max_files:
            raise KwsError(f"{archive}: more than {max_files} files, at member {name}")
        path = folder / _safe(name, archive)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_member() as source, path.open("wb") as destination:
            while chunk := source.read(_CHUNK_BYTES):
                total_bytes += len(chunk)
                if total_bytes > max_total_bytes:
                    raise KwsError(
                        f"{archive}: more than {max_total_bytes} bytes unpacked, at member {name}"
                    )
                destination.write(chunk)
        if progress is not None and count % _FILES_A_REPORT == 0:
            progress(min(file.tell(), archive_bytes), archive_bytes)


def _tar_members(
    archive: Path, file: IO[bytes], wanted: Callable[[str], bool] | None
) -> Iterator[Member]:
    try:
        for member, tar in tar_stream.members(file):
            _safe(member.name, archive)
            if wanted is not None and not wanted(member.name):
                continue
            if member.isdir():
                continue
            if not member.isfile() or member.issparse() or member.size < 0:
                kind = "a link" if member.islnk() or member.issym() else "no ordinary file"
                raise KwsError(f"{archive}: member {member.name} is {kind}")

            def open_member(
                member: tarfile.TarInfo = member, tar: tarfile.TarFile = tar
            ) -> IO[bytes]:
                stream = tar.extractfile(member)
                assert stream is not None  # isfile() holds.
                return stream

            yield member.name, open_member
    except tar_stream.HeaderTooLarge as error:
        raise KwsError(f"{archive}: {error.message}") from None


def _zip_members(
    archive: Path, file: IO[bytes], wanted: Callable[[str], bool] | None
) -> Iterator[Member]:
    listed = directory_bytes(file)
    if listed > MAX_DIRECTORY_BYTES:
        raise KwsError(f"{archive}: its list of members has {listed} bytes, too many files")
    with zipfile.ZipFile(file) as zipped:
        _check_count(zipped, file)
        names: set[str] = set()
        for info in zipped.infolist():
            name = member_name(info)
            _safe(name, archive)
            if name in names:
                raise KwsError(f"{archive}: two members are named {name}")
            names.add(name)
            if wanted is not None and not wanted(name):
                continue
            if info.compress_type not in _ZIP_METHODS:
                raise KwsError(
                    f"{archive}: member {name} is packed by method {info.compress_type}",
                    hint="stored, deflated and bzip2 are unpacked; pack it anew",
                )
            kind = info.external_attr >> 28  # The file type of a Unix mode; 0 where unknown.
            if name.endswith("/"):
                continue
            if kind not in (0, 0o10):
                what = "a link" if kind == 0o12 else "no ordinary file"
                raise KwsError(f"{archive}: member {name} is {what}")

            def open_member(info: zipfile.ZipInfo = info) -> IO[bytes]:
                return zipped.open(info)

            yield name, open_member


def _check_count(zipped: zipfile.ZipFile, file: IO[bytes]) -> None:
    """Python reads a list of members up to its size; how many there are is written beside it."""
    listed, counted = len(zipped.infolist()), member_count(file)
    if counted is not None and counted != listed:
        raise zipfile.BadZipFile(f"{listed} members are listed, {counted} by its end record")


def _check_name(archive: Path) -> None:
    if not archive.is_file():
        raise KwsError(f"{archive} is not a file", hint="give a folder or one of: " + _known())
    if not is_archive(archive):
        raise KwsError(f"{archive} is no archive by its name", hint="known: " + _known())


def _safe(name: str, archive: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or ":" in name[:2]:
        raise KwsError(f"{archive}: member {name!r} would be written outside the folder")
    return path


def _digest(archive: Path) -> str:
    digest = hashlib.sha256()
    with archive.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _known() -> str:
    return ", ".join(SUFFIXES)
