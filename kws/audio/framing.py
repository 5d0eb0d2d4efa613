"""Checks that an AIFF, AU, CAF, W64, SPHERE, Ogg or FLAC file is complete.

libsndfile reads a truncated file as if it had always been shorter, and silently skips damaged
pages of an Ogg file. For FLAC (RFC 9639) the MD5 of the samples in the header (section 8.2) and
the rate in every frame (section 9.1.2) are checked, which libsndfile does not do.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from kws.audio.container import Check, Note, Unreadable

UNKNOWN_SIZE = 0xFFFFFFFF
_W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_MAX_CHUNKS = 10_000
_MAX_PACKET_TABLE_BYTES = 16 << 20
_NIST_HEADER_BYTES = 4096
_OGG_TAIL_BYTES = 1 << 17
"""Two pages of the largest size, 65,307 bytes."""
_END_OF_STREAM = 4


def check_sizes(file: BinaryIO, file_bytes: int) -> Check:
    """Compares the sizes in a header with what there is.

    Raises:
      Unreadable: `truncated`.
    """
    file.seek(0)
    head = file.read(16)
    promised, ends_at = 0, file_bytes
    if head.startswith(b"FORM") and len(head) >= 8:
        promised = 8 + int(struct.unpack_from(">I", head, 4)[0])
        promised = max(promised, _aiff_bytes(file, file_bytes))
    elif head.startswith(b".snd") and len(head) >= 12:
        offset, size = struct.unpack_from(">II", head, 4)
        promised = 0 if size == UNKNOWN_SIZE else offset + size
    elif head.startswith(b"riff"):
        promised = ends_at = _w64_bytes(file, file_bytes)
    elif head.startswith(b"NIST"):
        promised = ends_at = _nist_bytes(file)
    elif head.startswith(b"caff"):
        promised = _caf_bytes(file, file_bytes)
    if promised > file_bytes:
        raise Unreadable(
            "truncated", f"{promised - file_bytes} bytes fewer than its header promises"
        )
    # libsndfile reads what follows the samples of these as if it were some.
    return Check(ends_at=ends_at if 0 < ends_at < file_bytes else None)


def _aiff_bytes(file: BinaryIO, file_bytes: int) -> int:
    """Where the samples end that the COMM and SSND chunks speak of; 0 where it cannot be told."""
    position, samples, width, compressed = 12, 0, 0, False
    file.seek(8)
    kind = file.read(4)
    for _ in range(_MAX_CHUNKS):
        if position + 8 > file_bytes:
            return 0
        file.seek(position)
        name, size = struct.unpack(">4sI", file.read(8))
        if name == b"COMM":
            comm = file.read(22)
            if len(comm) < 18:
                return 0
            channels, frames, bits = struct.unpack_from(">hIh", comm)
            samples, width = max(channels, 0) * frames, (max(bits, 0) + 7) // 8
            compressed = kind == b"AIFC" and comm[18:22] not in (b"NONE", b"sowt", b"twos")
        elif name == b"SSND":
            offset = file.read(4)
            if compressed or not samples or len(offset) < 4:
                return position + 8 + size
            needed = position + 16 + int(struct.unpack(">I", offset)[0]) + samples * width
            return max(position + 8 + size, needed)
        position += 8 + size + size % 2
    return 0


def _w64_bytes(file: BinaryIO, file_bytes: int) -> int:
    """Where the data chunk of a Sony Wave64 file ends."""
    position = 40
    for _ in range(_MAX_CHUNKS):
        if position + 24 > file_bytes:
            return position + 24
        file.seek(position)
        name, size = struct.unpack("<16sQ", file.read(24))
        if name == _W64_DATA:
            return position + int(size)
        position += max(24, (int(size) + 7) // 8 * 8)
    return 0


def _caf_bytes(file: BinaryIO, file_bytes: int) -> int:
    """Where the chunks of a CAF end (Apple Core Audio Format Specification 1.0).

    Raises:
      Unreadable: `malformed`: the packets of compressed sound do not add up to what there is.
    """
    position, coded, data_bytes, packets = 8, b"", 0, None
    for _ in range(_MAX_CHUNKS):
        if position + 12 > file_bytes:
            break
        file.seek(position)
        name, size = struct.unpack(">4sq", file.read(12))
        if name == b"data":
            if size == -1:  # To the end of the file: a recorder that could not go back.
                return file_bytes
            data_bytes = size - 4  # After the number of edits.
        elif name == b"desc":
            coded = file.read(12)[8:]
        elif name == b"pakt" and 24 <= size <= _MAX_PACKET_TABLE_BYTES:
            packets = _packet_bytes(file.read(size))
        if size < 0 or not all(32 <= byte < 127 for byte in name):
            raise Unreadable("malformed", f"there is no chunk at byte {position}")
        position += 12 + size
    if position == file_bytes and coded == b"alac" and packets != data_bytes:
        raise Unreadable("malformed", f"{data_bytes} bytes of sound, {packets} by its packets")
    # What is left behind the last chunk is the beginning of one that was cut.
    return position + 12 if position < file_bytes else position


def _packet_bytes(table: bytes) -> int:
    """The sum of the sizes in a packet table: seven bits a byte, the eighth where more follow."""
    total = size = 0
    count = int(struct.unpack_from(">q", table)[0])
    for byte in table[24:]:
        size = size << 7 | byte & 0x7F
        if not byte & 0x80:
            total, size, count = total + size, 0, count - 1
            if not count:
                return total
    return -1


def _nist_bytes(file: BinaryIO) -> int:
    """Where the samples of a SPHERE file end, by its text header."""
    file.seek(0)
    fields: dict[bytes, int] = {}
    lines = file.read(_NIST_HEADER_BYTES).split(b"\n")
    for line in lines:
        parts = line.split()
        if len(parts) == 3 and parts[1] == b"-i" and parts[2].isdigit():
            fields[parts[0]] = int(parts[2])
    header = int(lines[1]) if len(lines) > 1 and lines[1].strip().isdigit() else 1024
    wanted = (b"sample_count", b"channel_count", b"sample_n_bytes")
    if not all(name in fields for name in wanted):
        return 0
    return header + fields[wanted[0]] * fields[wanted[1]] * fields[wanted[2]]


class Page(NamedTuple):
    """One page of an Ogg (RFC 3533, section 6).

    Attributes:
      serial: of the stream that it belongs to.
      number: of the page in its stream.
      flags: as they stand in its header.
      at: the byte of the file that it begins at.
      size: its bytes, those that are missing from the file among them.
      whole: whether all of it is there and its checksum is right; None: not looked at.
    """

    serial: int
    number: int
    flags: int
    at: int
    size: int
    whole: bool | None


def check_ogg(file: BinaryIO, file_bytes: int, thorough: bool) -> Check:
    """Looks at the pages of an Ogg, or at the last ones alone.

    Raises:
      Unreadable: `truncated`, or `malformed` for a page that is damaged or missing.
    """
    start = 0 if thorough else max(0, file_bytes - _OGG_TAIL_BYTES)
    ended: set[int] = set()
    seen: dict[int, int] = {}
    last: Page | None = None
    position = start
    for page in _pages(file, start, file_bytes):
        if page.at + page.size > file_bytes:
            missing = page.at + page.size - file_bytes
            raise Unreadable("truncated", f"{missing} bytes of its last page are missing")
        if thorough:
            if page.at != position or page.whole is False:
                raise Unreadable("malformed", f"its page at byte {position} is damaged")
            if page.serial in seen and page.number != seen[page.serial] + 1:
                raise Unreadable(
                    "malformed", f"page {seen[page.serial] + 1} of its stream is missing"
                )
        seen[page.serial] = page.number
        if page.flags & _END_OF_STREAM:
            ended.add(page.serial)
        position, last = page.at + page.size, page
    if last is None:
        raise Unreadable("malformed", "there is no page of an Ogg in it")
    if position < file_bytes:
        raise Unreadable("truncated", f"it breaks off in a page at byte {position}")
    unended = set(seen) - ended
    if unended:
        detail = "its stream stops without a last page: it may have been longer"
        return Check((Note("no_end_mark", detail),))
    return Check()


def _pages(file: BinaryIO, start: int, file_bytes: int) -> Iterator[Page]:
    """Pages one after another; from another place than 0 the first is looked for."""
    position = start
    if start:
        file.seek(start)
        found = file.read(file_bytes - start).find(b"OggS\0")
        if found < 0:
            return
        position += found
    while position + 27 <= file_bytes:
        file.seek(position)
        head = file.read(27)
        if head[:5] != b"OggS\0":
            return
        flags, serial, number, crc, segments = head[5], *struct.unpack_from("<IIIB", head, 14)
        lacing = file.read(segments)
        size = 27 + segments + sum(lacing) + (segments - len(lacing))
        whole: bool | None = None
        if start == 0 and position + size <= file_bytes:
            content = head[:22] + bytes(4) + head[26:] + lacing + file.read(sum(lacing))
            whole = ogg_crc(content) == crc
        yield Page(serial, number, flags, position, size, whole)
        position += size


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_crc(content: bytes) -> int:
    """CRC-32 of polynomial 0x04C11DB7, not reflected, that begins and ends with 0 (RFC 3533).

    That of zlib is its mirror image.
    """
    mirrored = zlib.crc32(content.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


_MD5_AT, _MD5_BYTES = 26, 16

_RATES = {
    **{1: 88200, 2: 176400, 3: 192000, 4: 8000, 5: 16000, 6: 22050, 7: 24000, 8: 32000},
    **{9: 44100, 10: 48000, 11: 96000},
}
"""By the code in a frame; the others say that the rate is written elsewhere."""
_MAX_BLOCKS = 1000


def check(stream: BinaryIO) -> None:
    """Holds the rate of the header against that of the first frame.

    Args:
      stream: seekable; is left at any position.

    Raises:
      Unreadable: `malformed`: they differ.
    """
    stream.seek(0)
    head = stream.read(_MD5_AT)
    if len(head) < _MD5_AT:
        return
    rate = int.from_bytes(head[18:21], "big") >> 4
    position, last = 4, False
    for _ in range(_MAX_BLOCKS):
        stream.seek(position)
        block = stream.read(4)
        if last or len(block) < 4:
            break
        last = bool(block[0] & 0x80)
        position += 4 + int.from_bytes(block[1:], "big")
    if len(block) < 4 or block[0] != 0xFF or block[1] & 0xFC != 0xF8:
        return  # libsndfile will say what is wrong.
    said = _RATES.get(block[2] & 15, rate)
    if said != rate:
        raise Unreadable("malformed", f"its header says {rate} Hz, its first frame {said}")


class SampleDigest:
    """The MD5 of a whole FLAC as it is decoded; of other formats nothing is asked."""

    def __init__(self, stream: BinaryIO):
        """Reads the header of a seekable file, which is left at any position."""
        stream.seek(0)
        head = stream.read(_MD5_AT + _MD5_BYTES)
        found = head[_MD5_AT:]
        known = head[:4] == b"fLaC" and len(found) == _MD5_BYTES and any(found)
        self._expected = found if known else None
        # Bits a sample less one: five bits at 20 bytes, less 4 bits (RFC 9639, 8.2).
        bits = (int.from_bytes(head[20:22], "big") >> 4 & 31) + 1
        self._width = (bits + 7) // 8
        self._digest = hashlib.md5(usedforsecurity=False)

    def add(self, block: np.ndarray) -> None:
        """Takes int16 or float samples `[frames, channels]`; 24 bits are exact in float32."""
        if self._expected is None:
            return
        if block.dtype != np.int16:
            block = np.rint(block * np.float32(1 << (8 * self._width - 1)))
        samples = np.ascontiguousarray(block, "<i4").reshape(-1, 1)
        self._digest.update(samples.view(np.uint8)[:, : self._width].tobytes())

    def check(self) -> None:
        """Once all of it was added.

        Raises:
          Unreadable: they are other samples.
        """
        if self._expected is not None and self._digest.digest() != self._expected:
            raise Unreadable("malformed", "its samples are not those of the MD5 in its header")
