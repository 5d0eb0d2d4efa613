"""MPEG audio: is an MP3 whole, by its own frames? (ISO/IEC 11172-3, section 2.4.1.3)

libsndfile gives silence or nothing for the missing half of a copy that broke off, and mpg123 plays
on after damage. Every frame says how long it is: they are walked from one to the next, and compared
with the count in the first one (of Xing, LAME or Fraunhofer) where there is one.
"""

import struct
from typing import BinaryIO, NamedTuple

from kws.audio.container import Check, Note, Unreadable

MAX_LEADING_BYTES = 1 << 16
"""Before the first frame, beside an ID3 tag."""
_BLOCK_BYTES = 1 << 20
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_V1 = {
    3: (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_V2 = {
    3: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    1: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_TAGS = (b"TAG", b"APETAGEX", b"LYRICS", b"ID3")


class Header(NamedTuple):
    """The four bytes before a frame.

    Attributes:
      version: 3 for MPEG 1, 2 for MPEG 2, 0 for MPEG 2.5.
      layer: 3, 2, 1 for layers I, II, III.
      rate: Hz.
      mono: whether it has one channel.
      size: bytes of the frame.
    """

    version: int
    layer: int
    rate: int
    mono: bool
    size: int

    @property
    def kind(self) -> tuple[int, int, int]:
        """What does not change inside a recording."""
        return self.version, self.layer, self.rate

    @classmethod
    def parse(cls, four: bytes) -> "Header | None":
        """None where it is none; a free bit rate is none."""
        if len(four) < 4 or four[0] != 0xFF or four[1] & 0xE0 != 0xE0:
            return None
        version, layer = four[1] >> 3 & 3, four[1] >> 1 & 3
        bits, rate_index, padding = four[2] >> 4, four[2] >> 2 & 3, four[2] >> 1 & 1
        if version == 1 or layer == 0 or bits in (0, 15) or rate_index == 3:
            return None
        rate = _RATES[version][rate_index]
        bit_rate = 1000 * (_V1 if version == 3 else _V2)[layer][bits - 1]
        if layer == 3:
            size = (12 * bit_rate // rate + padding) * 4
        else:
            samples = 576 if layer == 1 and version != 3 else 1152
            size = samples // 8 * bit_rate // rate + padding
        return cls(version, layer, rate, four[3] >> 6 == 3, size)

    @property
    def count_at(self) -> int:
        """Where a frame without sound has its count: after the side information of layer III."""
        if self.version == 3:
            return 4 + (17 if self.mono else 32)
        return 4 + (9 if self.mono else 17)


class _View:
    """Random access to a file by blocks."""

    def __init__(self, file: BinaryIO, size: int):
        self._file, self.size = file, size
        self._start, self._block = 0, b""

    def bytes_at(self, position: int, count: int) -> bytes:
        inside = position - self._start
        if not 0 <= inside <= len(self._block) - count:
            self._file.seek(position)
            self._start, inside = position, 0
            self._block = self._file.read(max(_BLOCK_BYTES, count))
        return self._block[inside : inside + count]


def may_be_mpeg(head: bytes) -> bool:
    """Whether it is worth a look: a frame or an ID3 tag."""
    return head.startswith(b"ID3") or Header.parse(head[:4]) is not None


def check(file: BinaryIO, file_bytes: int, thorough: bool) -> Check:
    """Walks all frames; unless it is to be thorough, only where the first one has no count.

    Returns:
      Where there is no count: a frame with one. libsndfile guesses the length else, from the size
      of the first frames, and reads no further than that.

    Raises:
      Unreadable: `not_audio`, `malformed` or `truncated`.
    """
    view = _View(file, file_bytes)
    position, skipped, first = _first_frame(view)
    start, notes = position, list[Note]()
    if skipped:
        detail = f"{skipped} bytes before its first frame are no MPEG audio"
        notes.append(Note("skipped_bytes", detail))
    four, counted = view.bytes_at(position, 4), _count_in(view, position, first)
    if counted is not None and not thorough:
        return Check(tuple(notes))
    frames, end = 0, file_bytes
    while position < file_bytes:
        header = Header.parse(view.bytes_at(position, 4))
        if header is None or header.kind != first.kind:
            if _is_end(view, position):
                end = position
                break
            raise Unreadable("malformed", f"there is no frame at byte {position}")
        if position + header.size > file_bytes:
            missing = position + header.size - file_bytes
            raise Unreadable("truncated", f"{missing} bytes of its last frame are missing")
        position += header.size
        frames += 1
    frames -= counted is not None  # The frame with the count holds no sound.
    # Some encoders count that frame, too; those that sign it do not.
    if counted is not None and frames not in (counted, counted - (not _is_signed(view, start))):
        reason = "truncated" if frames < counted else "malformed"
        raise Unreadable(reason, f"{frames} frames in it, {counted} by its first one")
    if not frames:
        raise Unreadable("malformed", "there is no frame with sound in it")
    ends_at = None if end == file_bytes else end
    if counted is not None:
        return Check(tuple(notes), ends_at=ends_at)
    if end < file_bytes and not view.bytes_at(end, 1).strip(b"\0"):
        detail = "zeros follow its last frame: it may have been longer"
        notes.append(Note("no_end_mark", detail))
    if first.layer != 1:
        return Check(tuple(notes), ends_at=ends_at)
    return Check(tuple(notes), prefix=_count_frame(four, frames), starts_at=start, ends_at=ends_at)


def _first_frame(view: _View) -> tuple[int, int, Header]:
    """The first frame that another of its kind follows, or that ends with the file.

    Returns:
      Its place, how many bytes before it are neither a tag nor zeros, and its header.
    """
    start = 0
    while (tag := view.bytes_at(start, 10))[:3] == b"ID3" and len(tag) == 10:
        size = 0
        for byte in tag[6:]:
            size = size << 7 | byte & 0x7F
        start += 10 + size + (10 if tag[5] & 0x10 else 0)
        if start > view.size:
            raise Unreadable("truncated", f"it ends {start - view.size} bytes inside its ID3 tag")
    for position in range(start, min(start + MAX_LEADING_BYTES, view.size)):
        four = view.bytes_at(position, 4)
        if not four or four[0] != 0xFF or (header := Header.parse(four)) is None:
            continue
        after = position + header.size
        follower = Header.parse(view.bytes_at(after, 4))
        follows = follower is not None and follower.kind == header.kind
        if follows or after == view.size or (position == start and after > view.size):
            return position, _junk(view, start, position), header
        if after < view.size and _is_end(view, after):
            return position, _junk(view, start, position), header
    raise Unreadable("not_audio", "there are no frames of MPEG audio at its beginning")


def _junk(view: _View, start: int, end: int) -> int:
    return end - start if view.bytes_at(start, end - start).strip(b"\0") else 0


def _is_signed(view: _View, position: int) -> bool:
    """Whether LAME or libavcodec wrote the first frame."""
    return any(name in view.bytes_at(position, 256) for name in (b"LAME", b"Lavc", b"Lavf"))


def _count_in(view: _View, position: int, header: Header) -> int | None:
    """How many frames the first one says that there are; None where it is sound like the others."""
    frame = view.bytes_at(position, min(header.size, 256))
    at = header.count_at
    if header.layer != 1:
        return None
    if frame[at : at + 4] in (b"Xing", b"Info") and len(frame) >= at + 12:
        flags, count = struct.unpack_from(">II", frame, at + 4)
        return int(count) if flags & 1 else None
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        return int(struct.unpack_from(">I", frame, 50)[0])
    return None


def _count_frame(four: bytes, count: int) -> bytes:
    """A frame without sound, of the kind of another, that says how many there are."""
    # The highest bit rate, so that there is room; no padding; no checksum of its own.
    head = bytes([0xFF, four[1] | 1, four[2] & 0x0C | 0xE0, four[3]])
    header = Header.parse(head)
    assert header is not None
    frame = head + bytes(header.count_at - 4) + b"Xing" + struct.pack(">II", 1, count)
    return frame.ljust(header.size, b"\0")


def _is_end(view: _View, position: int) -> bool:
    """Whether tags or zeros are all that follows."""
    rest = view.bytes_at(position, min(_BLOCK_BYTES, view.size - position))
    if rest.startswith(_TAGS):
        return True
    return not rest.strip(b"\0") and len(rest) == view.size - position
