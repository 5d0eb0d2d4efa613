"""The trigger-word rule: a chime where a step's probability is high, and then quiet for a while.

Ng's trigger-word assignment ("Sequence Models", Coursera deeplearning.ai, 2018) chimes at a step
whose probability passes 0.5 if the last chime lies at least 75 steps back. That is the detector of
`kws.streaming.detector` with an average over a single step; this file gives the settings that make
it so, in the milliseconds that the manifest knows.

Two differences from the assignment's loop: its counter starts at 0, so that nothing can chime in
the first 75 steps of a clip, and it waits one step more between two chimes.
"""

import math

import numpy as np

from kws.errors import KwsError
from kws.streaming.params import DetectorParams

THRESHOLD = 0.5
STEPS_BETWEEN = 75


def chime_detector(
    step_ms: float, threshold: float = THRESHOLD, steps_between: int = STEPS_BETWEEN
) -> DetectorParams:
    """The detector that is the trigger-word rule.

    Args:
      step_ms: time between two answers; times are rounded to whole milliseconds, so it must be 2
        or more for steps to be told apart.
      threshold: a chime needs at least this.
      steps_between: from a chime to the next one, at least.

    Raises:
      KwsError: the steps are too short.
    """
    if step_ms < 2:
        raise KwsError(f"step_ms={step_ms:g}: the detector counts in milliseconds, give 2 or more")
    # Rounded times are off by up to 0.5 ms each: rounded down, the limits let a chime through
    # exactly `steps_between` steps after the last, and a step is averaged with no other.
    one = math.floor(step_ms) if step_ms == int(step_ms) else math.floor(step_ms - 1e-9)
    return DetectorParams(
        average_window_ms=one,
        clip_stride_ms=round(step_ms),
        detection_threshold=threshold,
        minimum_count=1,
        suppression_ms=max(0, math.floor(steps_between * step_ms - 1e-9)),
    )


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
