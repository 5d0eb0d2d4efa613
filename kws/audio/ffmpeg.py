"""Decodes recordings of phones, browsers and messengers (M4A, AAC, WebM, AMR, WMA) with ffmpeg.

ffmpeg is optional. pydub reads these files in the same way but gives ffmpeg no bounds. Here a
foreign file gets no shell, no network, no demuxer but that of its signature (a playlist could
name other files), limited time, memory and disk, and one thread.
"""

import functools
import io
import os
import re
import shutil
import struct
import subprocess
import tempfile
from typing import IO, BinaryIO

from kws.audio.container import Check, Unreadable, format_name


class FileView(io.RawIOBase):
    """A readable view of `size` bytes with its own position; a subclass reads them."""

    def __init__(self, size: int):
        super().__init__()
        self._size, self._position = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position


class PatchedFile(FileView):
    """A view of a part of a file, with other bytes in some places; closing it leaves it open."""

    def __init__(self, file: BinaryIO, checked: Check):
        """Takes a seekable file, which nobody else may read meanwhile."""
        self._file, self._checked = file, checked
        end = file.seek(0, os.SEEK_END)
        end = end if checked.ends_at is None else min(end, checked.ends_at)
        super().__init__(len(checked.prefix) + max(0, end - checked.starts_at))

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # as RawIOBase has it
        content = self._content(max(0, min(len(buffer), self._size - self._position)))
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def _content(self, wanted: int) -> bytes | bytearray:
        prefix = self._checked.prefix
        if self._position < len(prefix):
            return prefix[self._position : self._position + wanted]
        start = self._position - len(prefix) + self._checked.starts_at
        self._file.seek(start)
        content = bytearray(self._file.read(wanted))
        for offset, patch in self._checked.patches:
            for at, byte in enumerate(patch, offset - start):
                if 0 <= at < len(content):
                    content[at] = byte
        return content


TIMEOUT_S = 600
MAX_DECODED_BYTES = 4 << 30
"""Of 16-bit samples: 37 hours of mono at 16 kHz."""
MAX_ALLOCATION_BYTES = 256 << 20
"""That ffmpeg may ask for at once."""
KEPT = 4
"""Decoded recordings that a process keeps on disk: many windows are cut from one."""
REMEDY = "ffmpeg -i in.{suffix} -ar 16000 -ac 1 out.wav"
_COPIED_BYTES = 1 << 20
_HEADER_BYTES, _BYTE_RATE_AT = 44, 28
"""Of the WAV that ffmpeg writes."""
_ERROR = re.compile(r"^(?:\[[^]]* @ 0x[0-9a-f]+\] )?\[(?:error|fatal|panic)\] (.+)$", re.MULTILINE)
"""What part of ffmpeg says it, and its address, are left out."""
_DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+\.\d+)")
_LATER_MS = 500
"""A WMA says how long it is with what its player needs before."""


class DecodedWav(FileView):
    """A reader of a decoded recording, with a position of its own: threads may share the file."""

    def __init__(self, file: BinaryIO):
        super().__init__(os.fstat(file.fileno()).st_size)
        self._file = file  # Held, or it would be closed.

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # as RawIOBase has it
        content = os.pread(self._file.fileno(), len(buffer), self._position)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def decode(source: str | BinaryIO, demuxer: str) -> DecodedWav:
    """The same recording as 16-bit WAV, of its own rate and channels.

    Args:
      source: path, or binary file object.
      demuxer: ffmpeg's name of its format.

    Raises:
      Unreadable: `needs_ffmpeg`, `malformed`, `truncated` or `too_long`.
    """
    if isinstance(source, str):
        stat = os.stat(source)
        return DecodedWav(
            _decoded(os.path.abspath(source), demuxer, stat.st_size, stat.st_mtime_ns)
        )
    with tempfile.NamedTemporaryFile(prefix="kws-") as copy:  # M4A is read from both ends.
        source.seek(0)
        shutil.copyfileobj(source, copy, _COPIED_BYTES)
        copy.flush()
        return DecodedWav(_run(copy.name, demuxer))


@functools.lru_cache(maxsize=KEPT)
def _decoded(path: str, demuxer: str, size: int, mtime_ns: int) -> BinaryIO:
    return _run(path, demuxer)


def find() -> str | None:
    """Where ffmpeg is."""
    return shutil.which("ffmpeg")


def _run(path: str, demuxer: str) -> BinaryIO:
    name = format_name(demuxer)
    program = find()
    if program is None:
        raise Unreadable(
            "needs_ffmpeg",
            f"{name} is read by ffmpeg, which is not installed: install it, or convert the file: "
            + REMEDY.format(suffix=name.lower()),
        )
    command = [
        *(program, "-nostdin", "-hide_banner", "-v", "level+info", "-nostats", "-xerror"),
        *("-threads", "1"),
        *("-max_alloc", str(MAX_ALLOCATION_BYTES), "-protocol_whitelist", "file,pipe"),
        *("-err_detect", "explode", "-f", demuxer, "-i", f"file:{path}"),
        *("-map", "0:a:0", "-fs", str(MAX_DECODED_BYTES), "-c:a", "pcm_s16le"),
        *("-bitexact", "-f", "wav", "pipe:1"),
    ]
    decoded = tempfile.TemporaryFile(prefix="kws-")  # noqa: SIM115  # It has no name: no trace stays.
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=decoded,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        decoded.close()
        raise Unreadable("too_long", f"ffmpeg took more than {TIMEOUT_S} s") from None
    size = decoded.seek(0, os.SEEK_END)
    said = done.stderr.decode(errors="replace").replace(f"file:{path}: ", "")
    errors = _ERROR.findall(said)
    if done.returncode or errors or size <= _HEADER_BYTES:
        decoded.close()
        detail = errors[-1] if errors else "nothing comes out of it"
        raise Unreadable("malformed", f"ffmpeg cannot read this {name}: {detail}")
    if size >= MAX_DECODED_BYTES:
        decoded.close()
        raise Unreadable("too_long", f"more than {MAX_DECODED_BYTES:,} bytes when decoded")
    _check_duration(demuxer, said, decoded, size)
    return decoded  # type: ignore[return-value]


def _check_duration(demuxer: str, said: str, decoded: IO[bytes], size: int) -> None:
    """ffmpeg passes over what is damaged or missing in a WMA, and says nothing.

    Raises:
      Unreadable: `truncated`, or `malformed`: it does not say how long it is.
    """
    if demuxer != "asf":
        return
    promised = _DURATION.search(said)
    if promised is None or "Estimating duration" in said:
        decoded.close()
        raise Unreadable("malformed", "its header does not say how long it is")
    hours, minutes, seconds = promised.groups()
    promised_ms = 1000 * (3600 * int(hours) + 60 * int(minutes) + float(seconds))
    decoded.seek(_BYTE_RATE_AT)
    (byte_rate,) = struct.unpack("<I", decoded.read(4))
    decoded_ms = 1000 * (size - _HEADER_BYTES) / byte_rate
    if decoded_ms < promised_ms - _LATER_MS:
        decoded.close()
        raise Unreadable("truncated", f"{decoded_ms:.0f} ms in it, {promised_ms:.0f} by its header")
