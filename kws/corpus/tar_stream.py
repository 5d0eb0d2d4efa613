"""A tar archive from elsewhere, as a stream: whole, and in bounded memory whatever its headers say.

Python's tarfile reads the headers before a member (long names, PAX records, maps of sparse files)
as large as they say they are, and keeps every member it has seen; liblzma takes as much memory as
a .xz asks for. Here all three have bounds.

tarfile also takes a damaged header, or the end of a cut file, for the end of the archive, and never
reads the checksum behind it. Here an archive ends with its end mark, and what is behind is read.
"""

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Iterator
from typing import IO

from kws.errors import KwsError

MAX_HEADER_BYTES = 4 << 20
"""Of one member: names and records before its content."""
MAX_PADDING_BYTES = 64 << 20
"""Of zeros after the end mark: `tar` fills up its last record, of 10 KiB unless it is told."""
MAX_XZ_BYTES = 256 << 20
"""Memory that unpacking a .xz may take: `xz -9` asks for 65 MiB."""
_CHUNK_BYTES = 1 << 16
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}


class HeaderTooLarge(KwsError):
    """What stands before a member's content is no description of one file."""


class _Metered(io.RawIOBase):
    """A stream that gives out no more than `allowance` bytes before it is renewed.

    Attributes:
      allowance: bytes left; None: no bound.
    """

    def __init__(self, source: IO[bytes]):
        super().__init__()
        self._source = source
        self.allowance: int | None = MAX_HEADER_BYTES  # the first is read as the archive is opened

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content = self._source.read(size)
        if self.allowance is not None:
            self.allowance -= len(content)
            if self.allowance < 0:
                raise HeaderTooLarge(f"a member's header is larger than {MAX_HEADER_BYTES} bytes")
        return content


class _Xz(io.RawIOBase):
    """A .xz, unpacked within MAX_XZ_BYTES; one stream after another, as `xz` writes them."""

    def __init__(self, source: IO[bytes]):
        super().__init__()
        self._source = source
        self._decoder: lzma.LZMADecompressor | None = None
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content = b""
        while not content:
            if self._decoder is None or self._decoder.eof:
                packed = self._rest or self._source.read(_CHUNK_BYTES)
                packed = packed.lstrip(b"\0")  # padding between streams
                if not packed:
                    return b""
                self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_BYTES)
            elif self._decoder.needs_input:
                packed = self._source.read(_CHUNK_BYTES)
                if not packed:
                    raise EOFError("the .xz breaks off")
            else:
                packed = b""
            content = self._decoder.decompress(packed, max_length=size)
            self._rest = self._decoder.unused_data if self._decoder.eof else b""
        return content


class _Member(tarfile.TarInfo):
    """A header; one that is damaged is an error, and not the end of the archive."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> "_Member":
        try:
            return super().fromtarfile(tar)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise  # A block of zeros: the end mark.
        except tarfile.EmptyHeaderError:  # type: ignore[attr-defined]
            raise tarfile.ReadError("it breaks off: its end mark is missing") from None
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"a header is damaged: {error}") from None


def members(file: IO[bytes]) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    """The members in order, each to be read (`extractfile`) before the next is asked for.

    Only who reads them all knows that the archive is whole.

    Raises:
      HeaderTooLarge: of a member.
      tarfile.TarError, lzma.LZMAError, OSError, EOFError: it is broken.
    """
    metered = _Metered(_unpacked(file))
    with tarfile.open(
        fileobj=metered, mode="r|", bufsize=tarfile.RECORDSIZE, tarinfo=_Member
    ) as tar:
        while True:
            metered.allowance = MAX_HEADER_BYTES
            member = tar.next()
            if member is None:
                break
            tar.members.clear()  # type: ignore[attr-defined]  # or all of them are kept
            metered.allowance = None
            yield member, tar
        metered.allowance = None
        _check_rest(tar.fileobj)  # type: ignore[arg-type]


def _check_rest(stream: IO[bytes]) -> None:
    """Reads what is behind the end mark, and with it the checksum of what it is packed in."""
    read = 0
    while content := stream.read(_CHUNK_BYTES):
        read += len(content)
        if content.strip(b"\0"):
            raise tarfile.ReadError("there is more behind its end mark")
        if read > MAX_PADDING_BYTES:
            raise tarfile.ReadError(f"more than {MAX_PADDING_BYTES} bytes behind its end mark")


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    head = file.read(6)
    file.seek(0)
    kind = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
    if kind == "gzip":
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if kind == "bzip2":
        return bz2.BZ2File(file)
    return _Xz(file) if kind == "xz" else file  # type: ignore[return-value]
