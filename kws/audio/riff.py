"""RIFF: does a WAV file hold the samples that its header promises, and where do they end?

libsndfile believes a size that is too small and reads a cut file as if it had been shorter all
along. A copy that broke off is found here by walking the chunks (Multimedia Programming Interface
and Data Specifications 1.0, IBM and Microsoft 1991; RF64: EBU Tech 3306, 2009), and so is a size
that is wrong although all of the sound is there: programs that write to a pipe put 0, 0x7FFFF000,
0x80000000 or 0xFFFFFFFF, a recorder that crashed leaves 0, and some count the header too.
"""

import os
import struct
from typing import BinaryIO, NamedTuple

from kws.audio.container import Check, Note, Unreadable

MAX_CHUNKS = 10_000
"""Before the samples; what has more was made to keep its reader busy."""
PLACEHOLDER_SLACK = 4096
"""A size so near to 2 GiB or just below 4 GiB stands for an unknown one."""
MAX_RIFF_BYTES = 0xFFFFF000
"""Of sound that a header without 64-bit sizes can speak of."""
HEADER_SLACK = 64
"""Bytes that a program may count too many, when it counts headers as sound."""
TAIL_BYTES = 1 << 16
"""In which chunks after the sound are looked for, where its size is not known."""
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
TRAILING_CHUNKS = (
    *(b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"smpl", b"fact", b"PEAK", b"JUNK", b"junk"),
    *(b"iXML", b"axml", b"_PMX", b"afsp", b"inst", b"acid", b"cart", b"chna", b"plst", b"DISP"),
    *(b"FLLR", b"PAD ", b"umid", b"strc", b"minf", b"elm1", b"regn", b"note", b"labl", b"ltxt"),
)
"""What may follow the samples."""
TRAILING_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICS")
"""Of other formats, which some programs append."""


class Fmt(NamedTuple):
    """A `fmt ` chunk.

    Attributes:
      tag: PCM, FLOAT, or another format's number; that of the subformat where it is extensible.
      channels: of the audio.
      rate: sample rate, Hz.
      byte_rate: bytes a second.
      block_bytes: bytes of one sample of every channel.
      bits: of one sample.
    """

    tag: int
    channels: int
    rate: int
    byte_rate: int
    block_bytes: int
    bits: int

    @classmethod
    def parse(cls, chunk: bytes) -> "Fmt | None":
        """None where it is too short."""
        if len(chunk) < 16:
            return None
        fmt = cls(*struct.unpack_from("<HHIIHH", chunk))
        if fmt.tag == EXTENSIBLE and len(chunk) >= 26:
            fmt = fmt._replace(tag=struct.unpack_from("<H", chunk, 24)[0])
        return fmt

    @property
    def contradiction(self) -> str:
        """What of a PCM or float header does not fit; "" where all does."""
        if self.tag not in (PCM, FLOAT):
            return ""
        block = self.channels * ((self.bits + 7) // 8)
        if self.block_bytes != block:
            return (
                f"{self.channels} channels of {self.bits} bits are {block} bytes, "
                f"its header says {self.block_bytes}"
            )
        if self.byte_rate != self.rate * self.block_bytes:
            return (
                f"{self.rate} Hz times {self.block_bytes} bytes are not the {self.byte_rate} bytes "
                "a second of its header"
            )
        return ""


def is_placeholder(size: int) -> bool:
    """Whether a 32-bit size stands for an unknown one."""
    return (
        size == 0
        or abs(size - (1 << 31)) <= PLACEHOLDER_SLACK
        or size >= (1 << 32) - PLACEHOLDER_SLACK
    )


def check(file: BinaryIO, file_bytes: int) -> Check:
    """Finds the samples of a RIFF/WAVE or RF64 file.

    Args:
      file: seekable, at any position; is left at any position.
      file_bytes: its length.

    Returns:
      For a file whose size is wrong while its sound is whole: patches of its header, and the note.

    Raises:
      Unreadable: `truncated` or `malformed`.
    """
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 and not b"WAVE".startswith(head[8:]):
        return Check()
    if len(head) == 12 and head[8:] != b"WAVE":
        return Check()  # AVI and others: libsndfile says that it is no WAV.
    riff_size = struct.unpack("<I", head[4:8])[0] if len(head) >= 8 else 0
    wide: tuple[int, int] | None = None
    fmt: Fmt | None = None
    position, chunks = 12, 0
    while position + 8 <= file_bytes:
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise Unreadable("malformed", f"more than {MAX_CHUNKS} chunks before its samples")
        file.seek(position)
        name, size = struct.unpack("<4sI", file.read(8))
        position += 8
        if name == b"ds64" and head[:4] == b"RF64" and size >= 24:
            sizes = struct.unpack("<QQ", file.read(16))
            wide = (sizes[0], sizes[1])
        elif name == b"fmt ":
            fmt = Fmt.parse(file.read(min(size, 40)))
        elif name == b"data":
            return _samples(file, file_bytes, position, size, riff_size, wide, fmt)
        position += size + size % 2
    # The header breaks off before any samples: the RIFF chunk says how long the file was.
    missing = 1 if is_placeholder(riff_size) else max(1, riff_size + 8 - file_bytes)
    raise Unreadable("truncated", _lacks(missing))


def _samples(
    file: BinaryIO,
    file_bytes: int,
    start: int,
    size: int,
    riff_size: int,
    wide: tuple[int, int] | None,
    fmt: Fmt | None,
) -> Check:
    """The check once the data chunk is found: its content begins at `start`."""
    notes: list[Note] = []
    if fmt is not None and (contradiction := fmt.contradiction):
        notes.append(Note("inconsistent_header", contradiction))
    in_ds64 = wide is not None and size == 0xFFFFFFFF
    if wide is not None and in_ds64:
        riff_size, size = wide
        unknown = size == 0 or size >= 1 << 62
    else:
        unknown = is_placeholder(size)
    available = file_bytes - start
    if size <= available and not (unknown and size == 0 and available):
        rest = _after(file, start + size, file_bytes)
        if rest == "sound":
            notes.append(Note("unread_data", "a second data chunk or file in it was not read"))
            return Check(tuple(notes), ends_at=start + size)
        if rest in ("nothing", "chunks"):
            return Check(tuple(notes))
    elif size > available and not unknown:
        missing = size - available
        explained = (
            missing <= HEADER_SLACK
            or abs(riff_size + 8 - file_bytes) <= 1
            or abs(size - 2 * available) <= 1
        )
        if not explained:
            raise Unreadable("truncated", _lacks(missing))
    if not available or (size == 0 and _after(file, start, file_bytes) == "chunks"):
        return Check(tuple(notes))  # No samples, and that is what it says.
    end = _sound_end(file, start, file_bytes)
    block = max(1, fmt.block_bytes if fmt is not None else 1)
    length = (end - start) // block * block
    if not in_ds64:
        length = min(length, MAX_RIFF_BYTES // block * block)
    notes.append(
        Note("repaired_header", f"its data chunk says {size} bytes, and {length} are there")
    )
    if in_ds64:
        patches = _rf64_patches(file, length, start)
    else:
        narrow = struct.pack("<I", length)
        patches = ((4, struct.pack("<I", min(start + length - 8, 0xFFFFFFFE))), (start - 4, narrow))
    return Check(tuple(notes), patches, ends_at=start + length)


def _rf64_patches(file: BinaryIO, length: int, start: int) -> tuple[tuple[int, bytes], ...]:
    """The 64-bit sizes of a file whose first chunk is `ds64`."""
    file.seek(12)
    if file.read(4) != b"ds64":
        raise Unreadable("malformed", "its ds64 chunk is not the first")
    return ((20, struct.pack("<QQ", start + length - 8, length)),)


def _after(file: BinaryIO, position: int, file_bytes: int) -> str:
    """What follows the samples: `nothing`, `chunks`, `sound` (among them), or `unknown`."""
    if position >= file_bytes:
        return "nothing"
    file.seek(position)
    rest = file.read(min(file_bytes - position, TAIL_BYTES))
    if not rest.strip(b"\0") and file_bytes - position <= TAIL_BYTES:
        return "nothing"  # Filled up to a block of the disk, with zeros or one byte.
    # The byte that makes a chunk even may be missing, or be there after an even one.
    for skipped in (position % 2, 0, 1):
        if rest[skipped:].startswith(TRAILING_TAGS):
            return "chunks"
        if found := _chain(file, position + skipped, file_bytes):
            return found
    return "unknown"


def _chain(file: BinaryIO, position: int, file_bytes: int) -> str:
    """`chunks` or `sound` if chunks (the last may be cut) go on to the end of the file; else ""."""
    found, sound = 0, False
    while position + 8 <= file_bytes:
        file.seek(position)
        name, size = struct.unpack("<4sI", file.read(8))
        known = name in TRAILING_CHUNKS or name in (b"data", b"RIFF")
        if not known and not (found and all(32 <= byte < 127 for byte in name)):
            # A name that we do not know must at least be one, and end where the file does.
            printable = all(32 <= byte < 127 for byte in name)
            if not printable or position + 8 + size + size % 2 not in (file_bytes, file_bytes + 1):
                return ""
        sound = sound or (name in (b"data", b"RIFF") and size > 0)
        found += 1
        position += 8 + size + size % 2
        if found > MAX_CHUNKS:
            return ""
    if not found:
        return ""
    return "sound" if sound else "chunks"


def _sound_end(file: BinaryIO, start: int, file_bytes: int) -> int:
    """Where the sound of unknown size ends: at the end of the file, or before chunks there."""
    first = max(start, file_bytes - TAIL_BYTES)
    file.seek(first, os.SEEK_SET)
    tail = file.read(file_bytes - first)
    ends = file_bytes
    for name in TRAILING_CHUNKS:
        at = tail.find(name)
        while at >= 0:
            if _ends_at(tail, at, len(tail)):
                ends = min(ends, first + at)
                break
            at = tail.find(name, at + 1)
    return ends


def _ends_at(tail: bytes, position: int, end: int) -> bool:
    """Whether chunks from a position on end exactly at the end."""
    while position + 8 <= end:
        name, size = struct.unpack_from("<4sI", tail, position)
        if not all(32 <= byte < 127 for byte in name):
            return False
        position += 8 + size + size % 2
    return position in (end, end + 1)


def _lacks(missing: int) -> str:
    return f"{missing} bytes fewer than its header promises"
