"""What every frontend offers: audio in, frames of features out."""

import abc
from typing import ClassVar

import numpy as np

from kws.features.params import FeatureParams


class Frontend(abc.ABC):
    """A frontend with its parameters; it holds no state between calls.

    Attributes:
      dtype: of the features.
      model_input_scale: what a feature is multiplied by to become the model's float32 input.
      params: everything that decides what the numbers are.
    """

    dtype: ClassVar[np.dtype]
    model_input_scale: ClassVar[float]

    def __init__(self, params: FeatureParams):
        self.params = params

    @abc.abstractmethod
    def compute(self, audio: np.ndarray) -> np.ndarray:
        """Features of one clip or of a whole stream, from a fresh state that carries through it.

        Frame i is of the samples from `i * stride_samples` on, and of nothing after its window.

        Args:
          audio: int16 `[samples]` at `params.sample_rate`.

        Returns:
          `[params.frame_count(samples), params.channels]` of `dtype`.

        Raises:
          ValueError: audio is not int16 of one dimension.
        """

    def compute_batch(self, audio: np.ndarray) -> np.ndarray:
        """`compute` of each row, every one from a fresh state.

        Args:
          audio: int16 `[n, samples]`.

        Returns:
          `[n, frames, channels]` of `dtype`.

        Raises:
          ValueError: audio is not int16 of two dimensions.
        """
        check_audio(audio, ndim=2)
        frames = self.params.frame_count(audio.shape[1])
        out = np.empty((len(audio), frames, self.params.channels), self.dtype)
        for row, clip in zip(out, audio, strict=True):
            row[:] = self.compute(clip)
        return out


def check_audio(audio: np.ndarray, ndim: int) -> None:
    """Raises ValueError unless audio is int16 with so many dimensions."""
    if audio.ndim != ndim or audio.dtype != np.int16:
        shape = {1: "[samples]", 2: "[n, samples]"}[ndim]
        raise ValueError(f"audio is {audio.dtype} {list(audio.shape)}: must be int16 {shape}")
