"""Other people's speech around a word: babble of several, and one who falls silent for it.

Talkers are int16 recordings of people who never say a keyword, of the split that the copy is in.
"""

from collections.abc import Sequence

import numpy as np

from kws.augment.background import cut_background
from kws.augment.level import amplitude, rms

TALKERS = (2, 6)
"""People in babble, at least and at most."""
LEVEL_DB = (-4.0, 4.0)
"""Of one of them against the others."""
FADE_MS = 50
SILENT_RMS = 10.0
"""In int16 units, -70 dBFS: a cut below is a pause, and another is drawn."""
_TRIES = 5


def babble(
    talkers: Sequence[np.ndarray],
    num_samples: int,
    rng: np.random.Generator,
    count: tuple[int, int] = TALKERS,
) -> np.ndarray:
    """Several people who talk at once.

    Args:
      talkers: int16 `[samples]` each, of any lengths.
      num_samples: how long.
      rng: draws who, where in their recordings, and how loud.
      count: of people, at least and at most.

    Returns:
      float32 `[num_samples]` with an RMS of 1.

    Raises:
      ValueError: `talkers` is empty, or all of them are digital silence.
    """
    mixed = np.zeros(num_samples, np.float32)
    for _ in range(int(rng.integers(count[0], count[1] + 1))):
        gain = amplitude(rng.uniform(*LEVEL_DB))
        mixed += cut_speech(talkers, num_samples, rng) * np.float32(gain)
    return mixed / np.float32(rms(mixed))


def cut_speech(
    talkers: Sequence[np.ndarray], num_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """A cut of one talker, float32 `[num_samples]` with an RMS of 1; as `babble` otherwise."""
    if not talkers:
        raise ValueError("nobody is there to talk: give recordings of speech without keywords")
    for _ in range(_TRIES):
        talker = talkers[int(rng.integers(len(talkers)))]
        cut = cut_background(talker, num_samples, rng)
        level = rms(cut)
        if level >= SILENT_RMS:
            return cut.astype(np.float32) / np.float32(level)
    raise ValueError(f"{_TRIES} cuts of speech in a row are silent")


def talk_outside(
    talkers: Sequence[np.ndarray],
    num_samples: int,
    pause: slice,
    sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """One talker, silent during a pause: faded out before it and in after it, over 50 ms each.

    Args:
      talkers: as for `babble`.
      num_samples: how long.
      pause: in samples; with a stop of `num_samples` nobody talks after it.
      sample_rate: Hz.
      rng: draws who, and where in the recording.

    Returns:
      float32 `[num_samples]`; the speech that it was cut from has an RMS of 1.
    """
    speech = cut_speech(talkers, num_samples, rng)
    first, last = max(pause.start, 0), min(pause.stop, num_samples)
    speech[first:last] = 0.0
    fade = sample_rate * FADE_MS // 1000
    before, after = min(fade, first), min(fade, num_samples - last)
    speech[first - before : first] *= np.linspace(1.0, 0.0, before, dtype=np.float32)
    speech[last : last + after] *= np.linspace(0.0, 1.0, after, dtype=np.float32)
    return speech
