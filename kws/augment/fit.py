"""Back to the clip's length, after speed and tempo have changed it."""

import numpy as np

from kws.augment.shift import fade_edges


def slowest_pace(start: int, stop: int, num_samples: int) -> float:
    """How slow a word from `start` to `stop` may be said and still fit the clip: 0.5 is half."""
    return (stop - start) / num_samples if num_samples else 1.0


def fitted(
    audio: np.ndarray, num_samples: int, start: int, stop: int, centre: int, sample_rate: int
) -> np.ndarray:
    """`num_samples` of the audio, with all of the word and its centre where it was.

    Args:
      audio: float32 `[samples]` after the change.
      num_samples: of the clip.
      start, stop: of the word in `audio`; if it is longer than the clip, its end is lost.
      centre: where the middle of the word was, in samples of the clip.
      sample_rate: Hz.

    Returns:
      float32 `[num_samples]`; zeros where the audio does not reach, its edges faded over 5 ms.
    """
    begin = (start + stop) // 2 - centre
    begin = min(max(begin, stop - num_samples), start)
    faded = fade_edges(audio, sample_rate)
    out = np.zeros(num_samples, np.float32)
    first, last = max(begin, 0), min(begin + num_samples, len(faded))
    out[first - begin : last - begin] = faded[first:last]
    return out
