"""FLAC: are the samples those that were encoded? Its header keeps their MD5 (RFC 9639, 8.2), which
libsndfile does not look at."""

import hashlib
from typing import BinaryIO

import numpy as np

from kws.audio.container import Unreadable

_MD5_AT, _MD5_BYTES = 26, 16


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
