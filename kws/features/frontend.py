"""The interface of every frontend: audio in, frames of features out.

Frontends whose frames depend on nothing but their own window share a base class.
"""

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


FRAMES_AT_A_TIME = 2048
"""Bounds the memory that a long stream takes (some 40 MB)."""


class MemorylessFrontend(Frontend):
    """Cuts audio into windows and hands them on, so many at a time."""

    @abc.abstractmethod
    def compute_frames(self, frames: np.ndarray) -> np.ndarray:
        """Features of some windows.

        Args:
          frames: int16 `[n, window_samples]`.

        Returns:
          `[n, channels]`, rounded to `dtype` by the caller.
        """

    def compute(self, audio: np.ndarray) -> np.ndarray:
        """See `Frontend.compute`."""
        check_audio(audio, ndim=1)
        return self.compute_batch(audio[np.newaxis])[0]

    def compute_batch(self, audio: np.ndarray) -> np.ndarray:
        """See `Frontend.compute_batch`; all rows at once."""
        check_audio(audio, ndim=2)
        params = self.params
        count = params.frame_count(audio.shape[1])
        out = np.empty((len(audio) * count, params.channels), self.dtype)
        if out.size:
            windows = np.lib.stride_tricks.sliding_window_view(audio, params.window_samples, axis=1)
            windows = windows[:, :: params.stride_samples]
            for start in range(0, len(out), FRAMES_AT_A_TIME):
                flat = np.arange(start, min(start + FRAMES_AT_A_TIME, len(out)))
                out[flat] = self.compute_frames(windows[flat // count, flat % count])
        return out.reshape(len(audio), count, params.channels)
