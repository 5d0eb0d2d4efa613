"""When the steps of a network that answers at every few frames are over."""

import numpy as np


def step_ends_ms(
    steps: int, kernel: int, stride: int, window_ms: float, stride_ms: float
) -> np.ndarray:
    """int64 `[steps]`: when the last frame that each step hears is over.

    Args:
      steps: of a clip.
      kernel: frames that the first step hears.
      stride: frames that every further step takes.
      window_ms, stride_ms: of the frames.
    """
    last_frames = np.arange(steps) * stride + kernel - 1
    return np.rint(last_frames * stride_ms + window_ms).astype(np.int64)
