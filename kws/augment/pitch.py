"""Pitch: higher or lower in the same time."""

import numpy as np

from kws.augment.speed import change_speed
from kws.augment.tempo import change_tempo

SEMITONES_AN_OCTAVE = 12.0


def pitch_factor(semitones: float) -> float:
    """The factor on frequencies: 12 semitones are 2."""
    return float(2.0 ** (semitones / SEMITONES_AN_OCTAVE))


def change_pitch(audio: np.ndarray, semitones: float, sample_rate: int) -> np.ndarray:
    """Moves every frequency by `semitones`, the formants with the fundamental.

    The audio is made longer by as much (`change_tempo`) as the resampling that raises the pitch
    (`change_speed`) then makes it shorter.

    Args:
      audio: float32 or int16 `[samples]`.
      semitones: above 0 is higher.
      sample_rate: Hz.

    Returns:
      float32 of the same length, in the units of the input.
    """
    factor = pitch_factor(semitones)
    changed = change_speed(change_tempo(audio, 1.0 / factor, sample_rate), factor)
    # Two roundings of the length differ by a sample or two at most.
    return np.pad(changed[: len(audio)], (0, max(0, len(audio) - len(changed))))
