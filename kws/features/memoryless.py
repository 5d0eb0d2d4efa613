"""What the frontends share whose every frame is a function of its own window alone."""

import abc

import numpy as np

from kws.features.frontend import Frontend, check_audio

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
