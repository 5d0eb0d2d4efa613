"""FLAC: are the samples those that were encoded, and the rate theirs? (RFC 9639)

The header keeps the MD5 of the samples (section 8.2), which libsndfile does not look at; and every
frame says its rate (section 9.1.2).
"""

import hashlib
from typing import BinaryIO

import numpy as np

from kws.audio.container import Unreadable

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
