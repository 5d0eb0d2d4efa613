"""Back to the clip's length, after speed and tempo have changed it."""

import numpy as np

from kws.augment.shift import fade_edges


def slowest_pace(start: int, stop: int, num_samples: int) -> float:
    """How slow a word from `start` to `stop` may be said and still fit the clip: 0.5 is half."""
    return (stop - start) / num_samples if num_samples else 1.0


def fitted_from(num_samples: int, start: int, stop: int, centre: int) -> int:
    """Which sample of the changed audio a clip begins with, so that it holds all of the word.

    Args:
      num_samples: of the clip.
      start, stop: of the word in the audio; if it is longer than the clip, its end is lost.
      centre: where the middle of the word was, in samples of the clip.
    """
    begin = (start + stop) // 2 - centre
    return min(max(begin, stop - num_samples), start)


def fitted(audio: np.ndarray, num_samples: int, begin: int, sample_rate: int) -> np.ndarray:
    """`num_samples` of the audio, float32, from `begin` on.

    Zeros where the audio does not reach; its edges are faded over 5 ms.
    """
    faded = fade_edges(audio, sample_rate)
    out = np.zeros(num_samples, np.float32)
    first, last = max(begin, 0), min(begin + num_samples, len(faded))
    out[first - begin : last - begin] = faded[first:last]
    return out
