"""Generated backgrounds: noises of three colours, mains hum, and babble of voices."""

import math
from collections.abc import Sequence

import numpy as np

from kws.audio import noise
from kws.voices.render import SAMPLE_RATE

LEVEL_DBFS = -26.0
TALKERS = 6


def generate(seconds: int, speech: Sequence[np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """Recordings by name, each int16 `[seconds * 16000]` with an RMS of -26 dBFS.

    Args:
      seconds: length of each.
      speech: utterances without keywords, int16 `[samples]`, that babble is made of; without
        them there is no babble.
      seed: of this set; another seed gives other recordings.
    """
    n = seconds * SAMPLE_RATE
    rngs = np.random.default_rng(seed).spawn(5)
    recordings = {
        "white_noise": noise.white(n, rngs[0]),
        "pink_noise": noise.pink(n, rngs[1]) * _swell(n, rngs[1], depth_db=4),
        "brown_noise": noise.brown(n, rngs[2]) * _swell(n, rngs[2], depth_db=6),
        "mains_hum": hum(n, rngs[3]),
    }
    if speech:
        recordings["babble"] = chatter(n, speech, rngs[4])
    return {name: _to_int16(recording) for name, recording in recordings.items()}


def hum(n: int, rng: np.random.Generator) -> np.ndarray:
    """A machine's hum, float `[n]`: harmonics of 48 to 62 Hz, throbbing, over soft pink noise."""
    t = np.arange(n) / SAMPLE_RATE
    fundamental_hz = rng.uniform(48, 62)
    audio = np.zeros(n)
    for harmonic in range(1, 25):
        phase = rng.uniform(0, 2 * math.pi)
        amplitude = rng.uniform(0.3, 1) / harmonic**0.8
        audio += amplitude * np.sin(2 * math.pi * fundamental_hz * harmonic * t + phase)
    throb_hz = rng.uniform(0.5, 8)
    audio *= 1 + rng.uniform(0.2, 0.8) * np.sin(2 * math.pi * throb_hz * t)
    return audio / np.std(audio) + 0.3 * noise.pink(n, rng)


def chatter(n: int, speech: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Several people talking at once, float `[n]`: sentences in random order without pauses."""
    audio = np.zeros(n)
    for _ in range(TALKERS):
        line = np.concatenate([speech[i] for i in rng.permutation(len(speech))]).astype(np.float64)
        offset = int(rng.integers(len(line)))
        gain = 10 ** (rng.uniform(-6, 0) / 20)
        audio += gain * np.resize(np.roll(line, offset), n)
    return audio


def _swell(n: int, rng: np.random.Generator, depth_db: float) -> np.ndarray:
    """A gain that wanders by `depth_db` around 1 within seconds, float `[n]`."""
    points = max(2, n // (2 * SAMPLE_RATE))
    level_db = np.interp(
        np.linspace(0, points - 1, n), np.arange(points), rng.uniform(-depth_db, depth_db, points)
    )
    return 10 ** (level_db / 20)


def _to_int16(audio: np.ndarray) -> np.ndarray:
    scaled = audio / np.sqrt(np.mean(np.square(audio, dtype=np.float64))) * 10 ** (LEVEL_DBFS / 20)
    return np.round(np.clip(scaled * 32767, -32767, 32767)).astype(np.int16)
