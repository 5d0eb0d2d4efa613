"""Styles of speaking, by spectral means: whispered, shouted, sleepy, questioning.

- whisper: the vocal folds do not vibrate. The envelope of each frame is kept (cepstral smoothing
  below the shortest pitch period), and noise excites it in place of the voice, after the signal
  processing recipe that M. Cotescu and others start from ("Voice conversion for whispered speech
  synthesis", IEEE Signal Processing Letters 27, 2020). Low frequencies are attenuated, as they are
  weaker in whispers (T. Ito, K. Takeda and F. Itakura, "Analysis and recognition of whispered
  speech", Speech Communication 45, 2005).
- shouted: a higher pitch, a spectrum that falls less (D. Rostolland, "Acoustic features of shouted
  voice", Acustica 50, 1982), and peaks that are rounded off as by an overdriven input.
- sleepy: slower, lower, duller.
- questioning: the pitch rises through the last third of the word, at the same pace.
"""

import dataclasses
from typing import Literal

import numpy as np

from kws.augment.equalizer import equalize, high_shelf, low_shelf
from kws.augment.level import amplitude
from kws.augment.time_scale import change_tempo, pitch_factor

StyleName = Literal["whisper", "shouted", "sleepy", "questioning"]
STYLES: tuple[StyleName, ...] = ("whisper", "shouted", "sleepy", "questioning")

TILT_HZ, LOW_HZ = 1500.0, 1000.0
RISING_PART = 1 / 3
"""Of the word, at its end."""
FRAME_MS, HOP_MS = 32.0, 8.0
ENVELOPE_MS = 1.6
"""Of the cepstrum, kept as the envelope: less than the period of the highest voices, 2 ms."""
JOIN_MS = 8.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class SpeakingStyle:
    """How a word is said; the defaults change nothing.

    Attributes:
      name: of the style; None: as it was said.
      tempo: factor on the pace.
      pitch_semitones: change of the pitch.
      tilt_db: gain above 1.5 kHz.
      low_db: gain below 1 kHz.
      overdrive_db: how far the peak passes the level at which it is rounded off.
      rise_semitones: by how much the pitch has risen at the word's end.
      seed: of a whisper's noise.
    """

    name: StyleName | None = None
    tempo: float = 1.0
    pitch_semitones: float = 0.0
    tilt_db: float = 0.0
    low_db: float = 0.0
    overdrive_db: float = 0.0
    rise_semitones: float = 0.0
    seed: int = 0

    def describe(self) -> str:
        """What the style does, in words."""
        words = [
            "noise in place of the voice" if self.name == "whisper" else "",
            f"{self.tempo:.2g} times as fast" if self.tempo != 1 else "",
            f"{self.pitch_semitones:+.1f} semitones" if self.pitch_semitones else "",
            f"{self.low_db:+.0f} dB below {LOW_HZ:g} Hz" if self.low_db else "",
            f"{self.tilt_db:+.0f} dB above {TILT_HZ:g} Hz" if self.tilt_db else "",
            f"peaks rounded off by {self.overdrive_db:.0f} dB" if self.overdrive_db else "",
            f"{self.rise_semitones:+.1f} semitones at the end" if self.rise_semitones else "",
        ]
        return ", ".join(filter(None, words))


AS_IT_WAS = SpeakingStyle()


def draw_style(name: StyleName, rng: np.random.Generator) -> SpeakingStyle:
    """A style of that name, more or less of it."""
    much = float(rng.uniform())
    if name == "whisper":
        return SpeakingStyle(name=name, low_db=-6.0 - 9.0 * much, seed=int(rng.integers(2**31)))
    if name == "shouted":
        return SpeakingStyle(
            name=name, tempo=0.9, pitch_semitones=2.0 + 4.0 * much, tilt_db=5.0 + 6.0 * much,
            overdrive_db=6.0 + 9.0 * much,
        )  # fmt: skip
    if name == "sleepy":
        return SpeakingStyle(
            name=name, tempo=0.85 - 0.2 * much, pitch_semitones=-1.5 - 2.0 * much,
            tilt_db=-4.0 - 6.0 * much,
        )  # fmt: skip
    return SpeakingStyle(name=name, rise_semitones=4.0 + 5.0 * much)


def speak(audio: np.ndarray, word: slice, style: SpeakingStyle, sample_rate: int) -> np.ndarray:
    """What a style does to a word beside its tempo and pitch.

    Args:
      audio: float32 or int16 `[samples]`.
      word: in the audio.
      style: see `SpeakingStyle`.
      sample_rate: Hz.

    Returns:
      float32 `[samples]`, in the units of the input.
    """
    changed = audio.astype(np.float32)
    if style.rise_semitones:
        changed = raise_end(changed, word, style.rise_semitones, sample_rate)
    if style.name == "whisper":
        changed = whisper(changed, np.random.default_rng(style.seed), sample_rate)
    shelves = []
    if style.tilt_db:
        shelves.append(high_shelf(TILT_HZ, style.tilt_db, sample_rate))
    if style.low_db:
        shelves.append(low_shelf(LOW_HZ, style.low_db, sample_rate))
    changed = equalize(changed, shelves)
    return round_peaks(changed, style.overdrive_db) if style.overdrive_db else changed


def whisper(audio: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """The audio's spectral envelope, frame by frame, over noise.

    Each frame keeps its energy. Nothing is attenuated here.

    Args:
      audio: float32 `[samples]`.
      rng: draws the noise.
      sample_rate: Hz.

    Returns:
      float32 `[samples]`, in the units of the input.
    """
    from scipy import fft

    hop = int(sample_rate * HOP_MS / 1000)
    size = hop * round(FRAME_MS / HOP_MS)
    count = -(-(len(audio) + size) // hop)
    length = (count - 1) * hop + size
    window = np.sqrt(np.hanning(size + 1)[:-1]).astype(np.float32)

    def spectra(samples: np.ndarray) -> np.ndarray:
        padded = np.zeros(length, np.float32)
        padded[size : size + len(samples)] = samples[: length - size]
        frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
        return fft.rfft(frames * window, axis=1)

    magnitude = np.abs(spectra(audio))
    floor = np.float32(1e-5) * max(float(magnitude.max()), 1e-9)
    cepstrum = fft.irfft(np.log(magnitude + floor), axis=1)
    kept = int(sample_rate * ENVELOPE_MS / 1000)
    cepstrum[:, kept + 1 : size - kept] = 0.0
    envelope = np.exp(fft.rfft(cepstrum, axis=1).real)
    shaped = envelope * spectra(rng.standard_normal(len(audio), dtype=np.float32))
    was, now = (np.einsum("ij,ij->i", m, m) for m in (magnitude, np.abs(shaped)))
    shaped *= np.sqrt(was / np.maximum(now, 1e-12))[:, None]
    frames = fft.irfft(shaped, size, axis=1).astype(np.float32) * window
    made = np.zeros(length, np.float32)
    for number, frame in enumerate(frames):
        made[number * hop : number * hop + size] += frame
    # Squared Hann windows' sum at this overlap.
    return made[size : size + len(audio)] * np.float32(2 * hop / size)


def raise_end(audio: np.ndarray, word: slice, semitones: float, sample_rate: int) -> np.ndarray:
    """Lets the pitch rise through the last third of the word, and nothing take longer.

    That third is stretched (`change_tempo`) by as much as it is then read faster and faster.

    Args:
      audio: float32 `[samples]`.
      word: in the audio.
      semitones: above 0: by how much the pitch has risen at the word's end.
      sample_rate: Hz.

    Returns:
      float32 `[samples]`; the same outside the third.
    """
    import soxr

    start = word.stop - int((word.stop - word.start) * RISING_PART)
    part = audio[start : word.stop]
    join = int(sample_rate * JOIN_MS / 1000)
    if len(part) < 4 * join:
        return audio
    # At twice the rate, so that what rises past half the rate is filtered out and not mirrored.
    speed = pitch_factor(semitones) ** np.linspace(0.0, 1.0, 2 * len(part))
    stretched = change_tempo(part, len(part) * 2 / speed.sum(), sample_rate)
    double = soxr.resample(stretched, sample_rate, 2 * sample_rate)
    places = np.concatenate([[0.0], np.cumsum(speed[:-1])])
    risen = np.interp(places, np.arange(len(double)), double).astype(np.float32)
    risen = soxr.resample(risen, 2 * sample_rate, sample_rate)[: len(part)]
    risen = np.pad(risen, (0, len(part) - len(risen)))
    # Faded into what comes before and after it.
    weight = np.ones(len(part), np.float32)
    weight[:join] = np.linspace(0.0, 1.0, join)
    weight[-join:] = np.linspace(1.0, 0.0, join)
    made = audio.copy()
    made[start : word.stop] = weight * risen + (1 - weight) * part
    return made


def round_peaks(audio: np.ndarray, overdrive_db: float) -> np.ndarray:
    """Compresses what is loud: a hyperbolic tangent that leaves the highest peak where it is.

    Args:
      audio: float32 `[samples]`.
      overdrive_db: gain of what is far below the peak, about.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if not peak:
        return audio
    gain = amplitude(overdrive_db)
    return np.tanh(audio * np.float32(gain / peak)) * np.float32(peak / np.tanh(gain))
