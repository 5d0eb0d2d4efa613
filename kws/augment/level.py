"""Levels: RMS and dBFS, gain, clipping, and where in a clip the word is.

`active_speech` underlies every SNR and word boundary. It uses energy alone, in 10 ms frames. A
clip contains one word, so three rules suffice:

1. A frame is active above a threshold halfway (in dB) between the clip's floor (its quietest
   tenth) and its peak (the third-loudest frame: a click has only one or two), but never more than
   30 dB nor less than 6 dB below the peak. A clip without pauses is active throughout.
2. Active frames at most 300 ms apart belong together: a stop consonant closes for up to 150 ms.
3. Of several such groups, the one with the most energy is the word; the others are noise.
"""

import dataclasses
import math

import numpy as np

from kws.audio.clip import energy

FULL_SCALE = 32768.0
"""0 dBFS is the RMS of a full-scale square wave, the convention of pydub and of the descriptors."""


def rms(audio: np.ndarray) -> float:
    """Root mean square of int16 or float `[samples]`; 0.0 of an empty array."""
    if not audio.size:
        return 0.0
    return math.sqrt(energy(audio.astype(np.float64)) / audio.size)


def amplitude(level_db: float) -> float:
    """The factor of a gain in dB: 6.02 dB is 2."""
    return float(10.0 ** (level_db / 20.0))


def decibels(factor: float) -> float:
    """The gain in dB of a factor; minus infinity of 0."""
    return float(20.0 * np.log10(factor)) if factor > 0 else float("-inf")


def dbfs(level: float) -> float:
    """An RMS in int16 units, as dB below full scale."""
    return decibels(level / FULL_SCALE)


PEAK_LIMIT = 32767.0


def with_gain(audio: np.ndarray, gain: float) -> np.ndarray:
    """The audio times `gain`; less of it where the peak would pass full scale.

    Args:
      audio: float32 `[samples]` in int16 units.
      gain: a factor (`level.amplitude` makes it of dB).

    Returns:
      float32 `[samples]`, no sample above 32767.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak * gain > PEAK_LIMIT:
        gain = PEAK_LIMIT / peak
    return audio * np.float32(gain)


def to_int16(audio: np.ndarray) -> np.ndarray:
    """Rounds float `[samples]` in int16 units; what does not fit saturates."""
    return np.rint(audio).clip(-32768, 32767).astype(np.int16)


def clip_peaks(audio: np.ndarray, overdrive_db: float) -> np.ndarray:
    """Cuts what is less than `overdrive_db` below the highest peak; the rest is untouched.

    The level at which it clips follows the audio, as an amplifier before the last gain does: a
    clipped word is not always a loud one.

    Args:
      audio: float32 or int16 `[samples]`.
      overdrive_db: how far the peak would have passed the limit; 0 cuts nothing.

    Returns:
      The same dtype and shape.

    Raises:
      ValueError: `overdrive_db` is negative.
    """
    if overdrive_db < 0:
        raise ValueError(f"overdrive_db={overdrive_db}: must not be negative")
    # abs of the int16 -32768 would be itself.
    peak = float(np.abs(audio.astype(np.float32)).max(initial=0.0))
    limit = peak / amplitude(overdrive_db)
    return np.clip(audio, -limit, limit).astype(audio.dtype)


FRAME_MS = 10
BELOW_PEAK_DB = (6.0, 30.0)
JOIN_FRAMES = 30
PEAK_RANK = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Activity:
    """The active part of a clip.

    Attributes:
      start: its first sample, from the clip's beginning.
      stop: the sample after its last.
      rms: over the active frames between start and stop, in int16 units; 0 in digital silence.
    """

    start: int
    stop: int
    rms: float


def active_speech(audio: np.ndarray, sample_rate: int) -> Activity:
    """Finds the word in int16 `[samples]`; all of the clip if nothing stands out."""
    frame = sample_rate * FRAME_MS // 1000
    count = len(audio) // frame
    if count == 0:
        return Activity(start=0, stop=len(audio), rms=0.0)
    samples = audio[: count * frame].reshape(count, frame).astype(np.float32)
    power = np.einsum("ij,ij->i", samples, samples, dtype=np.float64) / frame
    if not power.any():
        return Activity(start=0, stop=len(audio), rms=0.0)
    # One least-significant bit of power keeps the logarithm of digital silence finite.
    level_db = 10.0 * np.log10(power + 1.0)
    peak_db = np.sort(level_db)[-min(PEAK_RANK, count)]
    middle_db = (np.percentile(level_db, 10) + peak_db) / 2
    threshold_db = np.clip(middle_db, peak_db - BELOW_PEAK_DB[1], peak_db - BELOW_PEAK_DB[0])
    active = np.flatnonzero(level_db >= threshold_db)
    groups = np.split(active, np.flatnonzero(np.diff(active) > JOIN_FRAMES) + 1)
    word = max(groups, key=lambda group: power[group].sum())
    # The last frame may be followed by a rest shorter than a frame, which belongs to it.
    stop = len(audio) if word[-1] == count - 1 else (int(word[-1]) + 1) * frame
    return Activity(start=int(word[0]) * frame, stop=stop, rms=float(np.sqrt(power[word].mean())))
