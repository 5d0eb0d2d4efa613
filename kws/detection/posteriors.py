"""Runs a model over a stream: one row of posteriors every `clip_stride_ms`."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from kws.errors import KwsError
from kws.features.params import FeatureParams

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth


LONGEST_STREAM_MS = 24 * 3_600_000
"""A longer recording is refused: its header is believed to be broken."""
BATCH_WINDOWS = 512
"""Windows that are gathered at a time: 2 MB of micro features, whatever the stream's length."""

BATCH_STEPS = 4096
"""Steps of a streaming model that are quantized at a time."""


class ScoringModel(Protocol):
    """What is asked of a windowed model; `kws.runtime.tflite_model.Int8Model` is one that ships."""

    @property
    def labels(self) -> list[str]: ...

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        """float32 `[n, labels]` of features `[n, frames, channels]` in the frontend's type."""


@runtime_checkable
class SlidingModel(ScoringModel, Protocol):
    """A windowed model that can do with each frame once what it does to all that it is fed."""

    def prepare(self, features: np.ndarray) -> np.ndarray:
        """`[frames, channels]` for `prepared_posteriors`, of features in the frontend's type."""

    def prepared_posteriors(self, prepared: np.ndarray) -> np.ndarray:
        """float32 `[n, labels]` of prepared windows `[n, frames, channels]`."""


@runtime_checkable
class StreamingModel(Protocol):
    """What is asked of a streaming one; see `kws.runtime.streaming_model.Int8StreamingModel`."""

    @property
    def labels(self) -> list[str]: ...

    @property
    def frames_per_step(self) -> int: ...

    @property
    def warm_up_steps(self) -> int: ...

    def stream(self, features: np.ndarray, *, fresh: bool = True) -> np.ndarray:
        """float32 `[steps, labels]` of features `[frames, channels]` in the frontend's type."""


class StreamFrontend(Protocol):
    """What is asked of a frontend; see `kws.features.create`."""

    @property
    def params(self) -> FeatureParams: ...

    def compute(self, audio: np.ndarray) -> np.ndarray:
        """`[frames, channels]` of a whole stream."""


def stream_posteriors(
    model: ScoringModel | StreamingModel,
    frontend: StreamFrontend,
    audio: np.ndarray,
    clip_stride_ms: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of every window of a stream, or of every so many steps.

    The features are computed once over the whole stream, so that the frontend's state (its noise
    estimate) carries on as it does on the device. A windowed model then sees windows of
    `feature_shape[0]` frames, a streaming one the frames in order, its own state carrying on too;
    it runs at each of its steps, whatever the stride, and the rows between are not heeded. Of a
    stream only its audio and features are held (some 115 MB and 15 MB an hour at 16 kHz and a hop
    of 20 ms), never all of its overlapping windows.

    Args:
      model: scores batches of windows, or streams.
      frontend: as the model was trained with.
      audio: int16 `[samples]` at the frontend's sample rate.
      clip_stride_ms: time between rows, a multiple of the frontend's window_stride_ms; with a
        streaming model, of its step.

    Returns:
      times_ms: int64 `[n]`, the end of each window's or step's last frame.
      posteriors: float32 `[n, labels]`. n is 0 for a stream shorter than one window, or than a
        streaming model's warm-up.

    Raises:
      KwsError: clip_stride_ms is no multiple of the frontend's hop or the model's step.
    """
    if isinstance(model, StreamingModel):
        return _of_steps(model, frontend, audio, clip_stride_ms)
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
    score: Callable[[np.ndarray], np.ndarray] = model.posteriors
    if isinstance(model, SlidingModel):  # a frame of a second's window is in 25 of them
        features, score = model.prepare(features), model.prepared_posteriors
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
        posteriors[batch] = score(np.ascontiguousarray(windows[batch]))
    return times_ms, posteriors


def stride_steps(clip_stride_ms: int, frames_per_step: int, window_stride_ms: float) -> int:
    """How many steps of a streaming model there are in `clip_stride_ms`.

    Raises:
      KwsError: not a whole number. Steps that are no whole milliseconds are counted to the nearest.
    """
    step_ms = frames_per_step * window_stride_ms
    steps = round(clip_stride_ms / step_ms)
    exact = float(step_ms).is_integer()
    if steps < 1 or abs(steps * step_ms - clip_stride_ms) > (0 if exact else 0.5):
        multiples = ", ".join(f"{round(n * step_ms)}" for n in (1, 2, 3))
        raise KwsError(
            f"clip_stride_ms={clip_stride_ms} is no multiple of the streaming model's step of "
            f"{step_ms:g} ms ({frames_per_step} frames of window_stride_ms={window_stride_ms:g})",
            hint=f"the detector can only look at a step: {multiples}, ...",
        )
    return steps


def _of_steps(
    model: StreamingModel, frontend: StreamFrontend, audio: np.ndarray, clip_stride_ms: int
) -> tuple[np.ndarray, np.ndarray]:
    params, step = frontend.params, model.frames_per_step
    stride = stride_steps(clip_stride_ms, step, params.window_stride_ms)
    features = frontend.compute(audio)
    count = len(features) // step
    heeded = np.arange(model.warm_up_steps, count, stride)
    posteriors = np.zeros((count, len(model.labels)), np.float32)
    for start in range(0, count, BATCH_STEPS):
        stop = min(start + BATCH_STEPS, count)
        batch = features[start * step : stop * step]
        posteriors[start:stop] = model.stream(batch, fresh=start == 0)
    last_frames = (heeded + 1) * step - 1
    times_ms = np.rint(last_frames * params.window_stride_ms + params.window_size_ms)
    return times_ms.astype(np.int64), posteriors[heeded]


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


def step_ends_ms(
    steps: int, kernel: int, stride: int, window_ms: float, stride_ms: float
) -> np.ndarray:
    """int64 `[steps]`: when the last frame that each step hears is over.

    Args:
      steps: of a clip.
      kernel: frames that the first step hears.
      stride: frames that every further step takes.
      window_ms: of a frame.
      stride_ms: from one frame to the next.
    """
    last_frames = np.arange(steps) * stride + kernel - 1
    return np.rint(last_frames * stride_ms + window_ms).astype(np.int64)
