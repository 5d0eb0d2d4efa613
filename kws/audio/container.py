"""Container: the checks before a recording is decoded, and the reasons not to use one."""

import os
from typing import BinaryIO

from kws.audio import riff

SIGNATURES = (
    b"RIFF",
    b"RF64",
    b"fLaC",
    b"OggS",
    b"ID3",
    b"\xff\xfb",
    b"\xff\xf3",
    b"FORM",
    b".snd",
)
"""First bytes of the usual formats: tells a damaged recording from a file of another kind."""


class Unreadable(Exception):
    """A recording that cannot be used.

    Attributes:
      reason: a stable name: `empty_file`, `not_audio`, `malformed`, `truncated`,
        `unsupported_rate`, `too_many_channels`, `too_long`, `too_short`, `beyond_end`,
        `not_finite`, `silent`, `io_error`.
      detail: one sentence with the figures.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self):  # Beam may carry it between workers.
        return Unreadable, (self.reason, self.detail)


def check(stream: BinaryIO) -> None:
    """Refuses what libsndfile would read all the same: cut WAV files, text taken for MP3.

    Args:
      stream: seekable; is left at any position.

    Raises:
      Unreadable: `empty_file`, `truncated` or `not_audio`.
    """
    size = stream.seek(0, os.SEEK_END)
    if not size:
        raise Unreadable("empty_file", "0 bytes")
    try:
        missing = riff.missing_bytes(stream, size)
    except riff.TooManyChunks as error:
        raise Unreadable("malformed", str(error)) from None
    if missing:
        raise Unreadable("truncated", f"{missing} bytes fewer than its header promises")
    stream.seek(0)
    if not stream.read(4).startswith(SIGNATURES):
        # libsndfile takes some text and noise for MP3 or a headerless format: look closer.
        _refuse_text(stream)


def _refuse_text(stream: BinaryIO) -> None:
    stream.seek(0)
    head = stream.read(512)
    if b"\0" not in head and all(byte >= 32 or byte in b"\t\r\n\f" for byte in head):
        raise Unreadable("not_audio", "text")


def signed(source: str | BinaryIO) -> bool:
    """Does a file (path or stream) begin like a recording?"""
    if not isinstance(source, str):
        source.seek(0)
        return source.read(4).startswith(SIGNATURES)
    with open(source, "rb") as stream:
        return stream.read(4).startswith(SIGNATURES)
