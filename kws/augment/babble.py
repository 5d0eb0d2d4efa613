"""Babble: several people talking at once, as background to a word."""

from collections.abc import Sequence

import numpy as np

from kws.augment.background import cut_background
from kws.augment.level import rms


def babble(
    talkers: Sequence[np.ndarray],
    num_samples: int,
    rng: np.random.Generator,
    count: tuple[int, int] = (2, 6),
) -> np.ndarray:
    """The sum of a few talkers, each as loud as the others.

    Args:
      talkers: int16 or float `[samples]` each, at one rate, of any length above 0.
      num_samples: length of the result.
      rng: draws how many talk, who, and where in their recordings they begin.
      count: range of the number of talkers, both ends included.

    Returns:
      float32 `[num_samples]` of unit RMS; zeros where all talkers are silent.
    """
    number = min(int(rng.integers(count[0], count[1], endpoint=True)), len(talkers))
    summed = np.zeros(num_samples, np.float64)
    for place in rng.choice(len(talkers), size=number, replace=False):
        voice = cut_background(talkers[int(place)], num_samples, rng).astype(np.float64)
        level = rms(voice)
        summed += voice / level if level > 0 else voice
    level = rms(summed)
    return (summed / level if level > 0 else summed).astype(np.float32)
