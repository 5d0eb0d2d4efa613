"""A corpus that grows by weeks: tones for words, said by speakers, with noise at some SNR."""

import wave
from pathlib import Path

import numpy as np

RATE_HZ = 16000
TONES_HZ = {"yes": 500, "no": 1100, "cat": 2300}
ROTATED = {"yes": "no", "no": "cat", "cat": "yes"}


def lay(
    folder: Path,
    speakers: int,
    snr_db: float,
    seed: int,
    labels: dict[str, str] | None = None,
    gain: float = 1.0,
) -> None:
    """A folder in the layout of Speech Commands; a clip of each word by each speaker.

    Args:
      folder: made.
      speakers: so many.
      snr_db: of the tone's 400 ms against the noise of the whole clip.
      seed: of pitch, place and noise; of different folders, different speakers.
      labels: what stands on a word's folder, where it is wrong.
      gain: of everything.
    """
    rng = np.random.default_rng(seed)
    for word, hz in TONES_HZ.items():
        place = folder / (labels or {}).get(word, word)
        place.mkdir(parents=True, exist_ok=True)
        for speaker in range(speakers):
            name = f"{seed:04x}{speaker:04x}_nohash_0.wav"
            write(place / name, gain * tone(rng, hz * rng.uniform(0.93, 1.07), snr_db))


def noise(folder: Path, seconds: int, seed: int) -> None:
    """Three recordings of noise: one for each split."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "eval", "test"):
        seed += 1
        audio = np.random.default_rng(seed).standard_normal(seconds * RATE_HZ) * 0.003
        (folder / split).mkdir()
        write(folder / split / "hum.wav", audio)


def tone(rng: np.random.Generator, hz: float, snr_db: float) -> np.ndarray:
    """One second with 400 ms of a tone and its octave somewhere in it."""
    audio = np.zeros(RATE_HZ)
    start, length = int(rng.integers(1000, 8500)), 6400
    t = np.arange(length) / RATE_HZ
    voiced = (np.sin(2 * np.pi * hz * t) + 0.5 * np.sin(4 * np.pi * hz * t)) * np.hanning(length)
    audio[start : start + length] = 0.2 * voiced
    level = 0.2 * np.sqrt(np.mean(voiced**2)) * 10 ** (-snr_db / 20)
    return audio + level * rng.standard_normal(RATE_HZ)


def write(path: Path, audio: np.ndarray) -> None:
    """16-bit mono."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((audio * 32767).clip(-32768, 32767).astype("<i2").tobytes())
