"""Container: the checks before a recording is decoded, the reasons not to use one, and the notes
on one that is used although something about it is odd."""

import dataclasses
import os
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

SIGNATURES = (
    b"RIFF",
    b"RF64",
    b"riff",
    b"fLaC",
    b"OggS",
    b"ID3",
    b"\xff\xfb",
    b"\xff\xf3",
    b"FORM",
    b".snd",
    b"caff",
    b"NIST",
)
"""First bytes of the usual formats: tells a damaged recording from a file of another kind."""

FFMPEG_FORMATS = (
    (0, b"\x1a\x45\xdf\xa3", "matroska", "WebM"),
    (0, b"#!AMR", "amr", "AMR"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf", "WMA"),
    (4, b"ftyp", "mov", "M4A"),
    (0, b"\xff\xf1", "aac", "AAC"),
    (0, b"\xff\xf9", "aac", "AAC"),
    (0, b"\xff\xf0", "aac", "AAC"),
    (0, b"\xff\xf8", "aac", "AAC"),
)
"""Of formats that libsndfile does not know: where their signature is, ffmpeg's name, and theirs."""


class Unreadable(Exception):
    """A recording that cannot be used.

    Attributes:
      reason: a stable name: `empty_file`, `not_audio`, `malformed`, `truncated`, `needs_ffmpeg`,
        `unsupported_format`, `unsupported_rate`, `too_many_channels`, `too_long`, `too_short`,
        `beyond_end`, `not_finite`, `out_of_range`, `silent`, `io_error`.
      detail: one sentence with the figures.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self):  # Beam may carry it between workers.
        return Unreadable, (self.reason, self.detail)


class Note(NamedTuple):
    """What one should know of a recording that was read.

    Attributes:
      name: a stable name: `repaired_header` (the sizes in the header are wrong, the sound was read
        to the end of the file), `inconsistent_header` (its fields contradict each other),
        `unread_data` (there is more sound after the first data chunk), `no_end_mark` (an Ogg or MP3
        that may have been longer), `skipped_bytes` (before the first frame of an MP3),
        `one_channel` (the channels cancel each other, one was taken), `rescaled_float` (a float
        file in the range of int16 was scaled to full scale 1).
      detail: one sentence with the figures.
    """

    name: str
    detail: str

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}"


@dataclasses.dataclass(frozen=True)
class Check:
    """What a look at a file's structure gave.

    Attributes:
      notes: on it.
      patches: (offset, bytes) that mend its header.
      ffmpeg: the demuxer that reads it, where libsndfile cannot.
      starts_at: the byte of the file that the recording begins at.
      ends_at: the byte that it ends before; None: to the file's end.
      prefix: bytes that are put before them.
    """

    notes: tuple[Note, ...] = ()
    patches: tuple[tuple[int, bytes], ...] = ()
    ffmpeg: str = ""
    starts_at: int = 0
    ends_at: int | None = None
    prefix: bytes = b""

    @property
    def is_as_it_is(self) -> bool:
        """Whether the file can be decoded as it stands on the disk."""
        return self.ends_at is None and not (self.patches or self.starts_at or self.prefix)


def check(stream: BinaryIO, thorough: bool = False) -> Check:
    """Refuses what libsndfile would read all the same: cut files, text and noise taken for MP3.

    Args:
      stream: seekable; is left at any position.
      thorough: look at every page of an Ogg and every frame of an MP3, not at their ends alone.

    Raises:
      Unreadable: `empty_file`, `truncated`, `malformed` or `not_audio`.
    """
    from kws.audio import framing, mpeg, riff

    size = stream.seek(0, os.SEEK_END)
    if not size:
        raise Unreadable("empty_file", "0 bytes")
    stream.seek(0)
    head = stream.read(16)
    if demuxer := ffmpeg_demuxer(head):
        return Check(ffmpeg=demuxer)
    if head.startswith((b"RIFF", b"RF64")):
        return riff.check(stream, size)
    if head.startswith(b"OggS"):
        return framing.check_ogg(stream, size, thorough)
    if head.startswith(b"fLaC"):
        framing.check(stream)
        return Check()
    if mpeg.may_be_mpeg(head):
        return mpeg.check(stream, size, thorough)
    if head.startswith(SIGNATURES):
        return framing.check_sizes(stream, size)
    # libsndfile takes some text and noise for MP3 or a headerless format: look closer.
    _refuse_text(stream)
    return Check()


def ffmpeg_demuxer(head: bytes) -> str:
    """ffmpeg's name of a format that libsndfile does not know; "" for others."""
    for at, signature, demuxer, _ in FFMPEG_FORMATS:
        if head[at : at + len(signature)] == signature:
            return demuxer
    return ""


def format_name(demuxer: str) -> str:
    """What people call a format that ffmpeg reads."""
    return next(name for _, _, known, name in FFMPEG_FORMATS if known == demuxer)


def _refuse_text(stream: BinaryIO) -> None:
    stream.seek(0)
    head = stream.read(512)
    if b"\0" not in head and all(byte >= 32 or byte in b"\t\r\n\f" for byte in head):
        raise Unreadable("not_audio", "text")


def is_signed(stream: BinaryIO) -> bool:
    """Does a file begin like a recording?"""
    stream.seek(0)
    return stream.read(4).startswith(SIGNATURES)


def to_text(notes: Iterable[Note]) -> list[str]:
    """For JSON and for people."""
    return [str(note) for note in notes]
