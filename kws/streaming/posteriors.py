"""A windowed model run over a stream: one row of posteriors every `clip_stride_ms`."""

from typing import Protocol

import numpy as np

from kws.errors import KwsError
from kws.features.params import FeatureParams

BATCH_WINDOWS = 512
"""Windows that are gathered at a time: 2 MB of micro features, whatever the stream's length."""


class ScoringModel(Protocol):
    """What is asked of a model; `kws.micro.tflite_model.Int8Model` is the one that ships."""

    @property
    def labels(self) -> list[str]: ...

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        """float32 `[n, labels]` of features `[n, frames, channels]` in the frontend's type."""


class StreamFrontend(Protocol):
    """What is asked of a frontend; see `kws.features.create`."""

    @property
    def params(self) -> FeatureParams: ...

    def compute(self, audio: np.ndarray) -> np.ndarray:
        """`[frames, channels]` of a whole stream."""


def stream_posteriors(
    model: ScoringModel, frontend: StreamFrontend, audio: np.ndarray, clip_stride_ms: int
) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of every window of a stream.

    The features are computed once over the whole stream, so that the frontend's state (its noise
    estimate) carries on as it does on the device; the model then sees windows of
    `feature_shape[0]` frames. Of a stream only its audio and features are held (some 115 MB and
    15 MB an hour at 16 kHz and a hop of 20 ms), never all of its overlapping windows.

    Args:
      model: scores batches of windows.
      frontend: as the model was trained with.
      audio: int16 `[samples]` at the frontend's sample rate.
      clip_stride_ms: time between windows, a multiple of the frontend's window_stride_ms.

    Returns:
      times_ms: int64 `[n]`, the end of each window's last frame.
      posteriors: float32 `[n, labels]`. n is 0 for a stream shorter than one window.

    Raises:
      KwsError: clip_stride_ms is no multiple of the frontend's hop.
    """
    params = frontend.params
    stride_frames = int(clip_stride_ms // params.window_stride_ms)
    if clip_stride_ms % params.window_stride_ms or stride_frames < 1:
        raise KwsError(
            f"clip_stride_ms={clip_stride_ms} is no multiple of the frontend's "
            f"window_stride_ms={params.window_stride_ms}",
            hint="a window can only begin at a frame",
        )
    frames = params.feature_shape[0]
    features = frontend.compute(audio)
    count = max(0, 1 + (len(features) - frames) // stride_frames)
    posteriors = np.zeros((count, len(model.labels)), np.float32)
    first_end_ms = round((frames - 1) * params.window_stride_ms + params.window_size_ms)
    times_ms = first_end_ms + clip_stride_ms * np.arange(count, dtype=np.int64)
    if not count:
        return times_ms, posteriors
    windows = np.lib.stride_tricks.sliding_window_view(features, frames, axis=0)
    windows = windows[::stride_frames].swapaxes(1, 2)  # [n, frames, channels], still a view
    for start in range(0, count, BATCH_WINDOWS):
        batch = slice(start, start + BATCH_WINDOWS)
        posteriors[batch] = model.posteriors(np.ascontiguousarray(windows[batch]))
    return times_ms, posteriors
