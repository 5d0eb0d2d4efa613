"""Zip directory: how large a zip archive says its list of members is, and how they are named.

The .ZIP File Format Specification of PKWARE: the end of central directory record (sections 4.3.14
to 4.3.16) in its old and in its 64-bit form, looked at before Python reads the whole list into
memory; and names (section 4.4.17, appendix D), which many programs do not write as it says.
"""

import os
import struct
import zipfile
import zlib
from typing import IO

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
