"""RIFF: does a WAV file hold the samples that its header promises?

libsndfile reads a cut file as if it had been shorter all along; a copy that broke off is found by
walking the chunks (Multimedia Programming Interface and Data Specifications 1.0, IBM and
Microsoft 1991).
"""

import struct
from typing import BinaryIO

UNKNOWN_SIZES = (0, 0xFFFFFFFF)
"""What programs that stream write for a data chunk whose length they did not know yet."""

MAX_CHUNKS = 10_000
"""Before the samples; what has more was made to keep its reader busy."""


class TooManyChunks(ValueError):
    """There are more than MAX_CHUNKS."""


def missing_bytes(file: BinaryIO, file_bytes: int) -> int:
    """How many bytes of its data chunk a WAV file lacks.

    Args:
      file: seekable, at any position; is left at any position.
      file_bytes: its length.

    Returns:
      0 for a whole file, and for anything that is no RIFF/WAVE file (RF64 included).

    Raises:
      TooManyChunks: before its samples.
    """
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return 0
    position = 12
    chunks = 0
    while position + 8 <= file_bytes:
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise TooManyChunks(f"more than {MAX_CHUNKS} chunks before its samples")
        file.seek(position)
        name, size = struct.unpack("<4sI", file.read(8))
        position += 8
        if name == b"data":
            promised = 0 if size in UNKNOWN_SIZES else size
            return max(0, promised - (file_bytes - position))
        position += size + size % 2
    # The header breaks off before any samples: the RIFF chunk says how long the file was.
    (riff_size,) = struct.unpack("<I", head[4:8])
    return max(1, 0 if riff_size in UNKNOWN_SIZES else riff_size + 8 - file_bytes)
