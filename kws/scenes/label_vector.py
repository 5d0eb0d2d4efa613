"""The label vector of a scene: what a model that answers at every step should say."""

from collections.abc import Iterable

import numpy as np


def label_vector(
    ends_ms: Iterable[int], duration_ms: int, steps: int, label_steps: int
) -> np.ndarray:
    """Ones after the end of each keyword, zeros elsewhere.

    The scene is divided into `steps` equal parts. If a keyword ends in part k, the parts k + 1 to
    k + `label_steps` are 1: strictly after the end, and never past the end of the scene.

        speech      ......#######.............................
        steps       | | | | | | |k|1|1|1| | | | | | | | | | |      label_steps = 3

    Args:
      ends_ms: where keywords end, 0 to `duration_ms`.
      duration_ms: of the scene.
      steps: length of the vector (Ty of the trigger-word assignment).
      label_steps: ones after each keyword.

    Returns:
      int64 `[steps]` of 0 and 1.
    """
    labels = np.zeros(steps, np.int64)
    for end_ms in ends_ms:
        step = end_ms * steps // duration_ms
        labels[step + 1 : step + 1 + label_steps] = 1
    return labels
