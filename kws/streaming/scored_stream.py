"""One stream as a model scored it."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreamPosteriors:
    """What a model said over one stream, and what was really said.

    Attributes:
      truth: the stream's ground truth.
      times_ms: int64 `[n]`, rising.
      posteriors: float32 `[n, labels]`.
    """

    truth: "GroundTruth"
    times_ms: np.ndarray
    posteriors: np.ndarray
