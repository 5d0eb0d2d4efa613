"""What is drawn for an utterance: its speed, and for the bulk voice another body.

Every draw is seeded by what the utterance is, so that nothing else in the plan changes it.
"""

import hashlib

import numpy as np

from kws.voices import engines
from kws.voices.engine import Request
from kws.voices.params import VoicesParams

HIBARI_SPEAKER = "hibari-heart"
F0_SCALE, FORMANT_SCALE = (0.6, 1.25), (0.85, 1.15)
"""Ranges that the bulk voice's pitch and formants are scaled by; 1 = unchanged."""


def generator(params: VoicesParams, *parts: object) -> np.random.Generator:
    """Random numbers for what the parts name, under the seed of the corpus."""
    return np.random.default_rng(seed(params.seed, *parts))


def seed(*parts: object) -> int:
    """64 bits of SHA-256 over the parts."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:8], "big")


def take_speed(params: VoicesParams, rng: np.random.Generator, take: int, takes: int) -> float:
    """Drawn from the take's own part of the range, so that takes differ."""
    return between(params.speed, (take + rng.uniform()) / takes)


def between(bounds: tuple[float, float], share: float) -> float:
    """On a logarithmic scale, rounded to what is written in a request."""
    return round(bounds[0] * (bounds[1] / bounds[0]) ** share, 3)


def warped(
    params: VoicesParams,
    rng: np.random.Generator,
    text: str,
    phonemes: str,
    speed: float,
    max_ms: int,
) -> Request:
    """hibari in another body: a long vocal tract mostly comes with a low voice, but not always."""
    tract = rng.uniform()
    pitch = 0.7 * tract + 0.3 * rng.uniform()
    return Request(
        engine=engines.HIBARI,
        text=text,
        phonemes=phonemes,
        voice="heart",
        speed=speed,
        seed=int(rng.integers(2**31)),
        f0_scale=between(F0_SCALE, pitch),
        formant_scale=between(FORMANT_SCALE, tract),
        max_ms=max_ms,
    )
