"""Where in a clip the word is, and how loud: the ground under every SNR and word boundary.

Energy alone, in frames of 10 ms. A clip holds one word, so three rules are enough:

1. A frame is active above a threshold half-way (in dB) between the clip's floor (its quietest
   tenth) and its peak (the third-loudest frame: a click has only one or two), but never more than
   30 dB nor less than 6 dB below the peak. A clip without pauses is active throughout.
2. Active frames at most 300 ms apart belong together: a stop consonant closes for up to 150 ms.
3. Of several such groups, the one with the most energy is the word; the others are noises.
"""

import dataclasses

import numpy as np

FRAME_MS = 10
BELOW_PEAK_DB = (6.0, 30.0)
JOIN_FRAMES = 30
PEAK_RANK = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Activity:
    """The active part of a clip.

    Attributes:
      start, stop: samples from the clip's beginning; stop is exclusive.
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
