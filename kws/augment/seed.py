"""Randomness that belongs to a thing, not to the order in which things are worked on."""

import hashlib

import numpy as np


def digest(seed: int, *names: str | int) -> bytes:
    """32 bytes that depend on the seed and every name, and on nothing else."""
    text = "\x1f".join(str(part) for part in (seed, *names))
    return hashlib.sha256(text.encode()).digest()


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A generator of its own for the thing so named, e.g. `generator(0, "noisy", clip_id, 1)`."""
    return np.random.default_rng(int.from_bytes(digest(seed, *names)[:16], "big"))
