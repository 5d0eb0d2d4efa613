"""Audio fingerprint: 32 numbers that a recording shares with its copies at any gain, and with no
other recording.

A random projection (W. Johnson, J. Lindenstrauss, "Extensions of Lipschitz mappings into a Hilbert
space", 1984): the cosine of two fingerprints estimates the correlation of the two waveforms. A gain
scales the fingerprint and keeps its direction; rounding to 16 bits turns it by an angle that
depends on the level (`rounding_share`); two recordings that only sound alike have unrelated
directions. Frequencies below some 100 Hz at 16 kHz are left out, because hum and offsets would make
different recordings look alike.
"""

import numpy as np

SIZE = 32
"""Unrelated fingerprints are within 0.24 rad of each other (`duplicates.MOST_DISTANCE`) once in
some 10^19 pairs; among 15,794 clips of Speech Commands none are within 0.31 rad."""
BLOCK_SAMPLES = 64
_PERIOD_BLOCKS = 4096
"""The signs of the blocks begin again after this (16 s at 16 kHz)."""
_PIECE_BLOCKS = 128
"""Multiplied at once: with more, OpenBLAS wakes threads, which costs more than it saves."""
_ROUNDING_POWER = 1 / 12
"""Mean square of what rounding adds to a sample."""


def _tables() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(20_180_409)
    within = rng.choice([-1.0, 1.0], (BLOCK_SAMPLES, SIZE))
    within -= within.mean(axis=0)  # Deaf to a block's mean: the high-pass.
    blocks = rng.choice([-1.0, 1.0], (_PERIOD_BLOCKS, SIZE))
    return within.astype(np.float32), blocks.astype(np.float32)


# A sample's 32 signs are the product of those of its place in the block and of the block's: as good
# as 32 signs of its own, and 64 times less to read from memory.
_WITHIN, _BLOCKS = _tables()


def audio_fingerprint(audio: np.ndarray) -> np.ndarray:
    """Projects a recording.

    Args:
      audio: int16 `[samples]`; samples beyond the last whole block of 64 do not count.

    Returns:
      float32 `[32]`: the mean of the squares is about the power of a sample, above the hum; the
      direction does not depend on the level; zeros where there is no more than rounding.
    """
    count = audio.size // BLOCK_SAMPLES
    blocks = audio[: count * BLOCK_SAMPLES].astype(np.float32).reshape(count, BLOCK_SAMPLES)
    projected = np.zeros(SIZE, np.float32)
    for first in range(0, count, _PIECE_BLOCKS):
        piece = blocks[first : first + _PIECE_BLOCKS] @ _WITHIN
        period = first % _PERIOD_BLOCKS
        projected += np.einsum("bk,bk->k", piece, _BLOCKS[period : period + len(piece)])
    projected /= np.float32(max(audio.size, 1) ** 0.5)
    power = float(np.dot(projected, projected)) / SIZE
    return projected if power > _ROUNDING_POWER else np.zeros_like(projected)


def rounding_share(fingerprints: np.ndarray) -> np.ndarray:
    """The expected share of the power of fingerprints that comes from rounding samples to integers.

    Args:
      fingerprints: `[n, 32]`, none all zeros.

    Returns:
      float64 `[n]`.
    """
    return _ROUNDING_POWER / np.square(fingerprints, dtype=np.float64).mean(axis=1)
