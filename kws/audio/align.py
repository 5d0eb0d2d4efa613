"""Align: any recording of a word becomes a window of exactly the length that the model hears."""

import numpy as np

HOP_MS = 10
"""Step of the search for the loudest window."""
PLATEAU = 0.999
"""Windows with this share of the greatest energy count as equally loud."""


def loudest_window(audio: np.ndarray, samples: int, hop_samples: int) -> int:
    """Where the window with the most energy begins.

    A word in quiet surroundings fits whole into many windows; of the equally loud neighbours the
    middle one is taken, which puts the word in the middle.

    Args:
      audio: int16 `[n]`, n >= samples.
      samples: length of the window.
      hop_samples: windows begin at multiples of this, and at the very end.

    Returns:
      The index of the first sample of the window.
    """
    energy = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    last = audio.size - samples
    starts = np.append(np.arange(0, last, hop_samples), last)
    window_energy = energy[starts + samples] - energy[starts]
    best = int(window_energy.argmax())
    quieter = np.flatnonzero(window_energy < PLATEAU * window_energy[best])
    before, after = quieter[quieter < best], quieter[quieter > best]
    first = before[-1] + 1 if before.size else 0
    final = after[0] - 1 if after.size else starts.size - 1
    return int(starts[(first + final) // 2])


def align(audio: np.ndarray, samples: int, sample_rate: int) -> np.ndarray:
    """Cuts to the loudest window, or pads with zeros on both sides alike.

    Args:
      audio: int16 `[n]`.
      samples: the length wanted.
      sample_rate: Hz, for the hop of the search.

    Returns:
      int16 `[samples]`; the same array if it has that length already.
    """
    if audio.size == samples:
        return audio
    if audio.size > samples:
        start = loudest_window(audio, samples, max(1, sample_rate * HOP_MS // 1000))
        return audio[start : start + samples]
    missing = samples - audio.size
    return np.pad(audio, (missing // 2, missing - missing // 2))
