"""A pushed bundle listens to sound as it comes in: frontend, int8 model, detector, step by step.

What it detects is what `kws.detect` finds in the whole recording, in whatever pieces the audio
comes: the frontend keeps its state, a streaming model its own, and of a windowed model's input the
frames that the next window still needs are kept.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from kws.detect import Spotter
from kws.detection.detector import Detection, Detector
from kws.detection.posteriors import ScoringModel, StreamingModel, stride_steps
from kws.features.live import LiveFrontend


@dataclasses.dataclass(frozen=True, kw_only=True)
class Moment:
    """A row of posteriors, and what it led to.

    Attributes:
      time_ms: the end of what it has heard, from the beginning of the stream.
      posteriors: float32 `[labels]`.
      detection: with which it fired, if it did.
    """

    time_ms: int
    posteriors: np.ndarray
    detection: Detection | None


class Listener:
    """One stream through a spotter. A streaming model serves one listener at a time."""

    def __init__(self, spotter: Spotter):
        """Begins a stream.

        Raises:
          KwsError: the detector's stride does not fit the frontend's hop or the model's step.
        """
        params, stride_ms = spotter.frontend.params, spotter.detector.clip_stride_ms
        self._params = params
        self._frontend = LiveFrontend(params)
        self._detector = Detector(spotter.detector, spotter.model.labels)
        self._runner: _Steps | _Windows
        if isinstance(spotter.model, StreamingModel):
            frames = spotter.model.frames_per_step
            stride = stride_steps(stride_ms, frames, params.window_stride_ms)
            self._runner = _Steps(spotter.model, stride)
        else:
            stride = stride_steps(stride_ms, 1, params.window_stride_ms)
            self._runner = _Windows(spotter.model, params.feature_shape[0], stride)
        self._samples = 0

    @property
    def heard_ms(self) -> float:
        """How much was fed."""
        return self._samples * 1000 / self._params.sample_rate

    def feed(self, audio: np.ndarray) -> Iterator[Moment]:
        """Takes the next samples, any number of them, and gives what they complete, in order.

        Args:
          audio: int16 `[samples]` at the frontend's rate.

        Raises:
          ValueError: audio is not int16 of one dimension.
        """
        features = self._frontend.feed(audio)
        self._samples += len(audio)
        params = self._params
        for last_frame, posteriors in self._runner.feed(features):
            time_ms = round(last_frame * params.window_stride_ms + params.window_size_ms)
            detection = self._detector.step(time_ms, posteriors)
            yield Moment(time_ms=time_ms, posteriors=posteriors, detection=detection)

    def finish(self) -> Iterator[Moment]:
        """The stream has ended: one shorter than a clip is followed by silence, as by `detect`."""
        missing = max(0, self._params.clip_samples - self._samples)
        yield from self.feed(np.zeros(missing, np.int16))


class _Windows:
    """A windowed model: every `stride` frames it hears the last `frames`."""

    def __init__(self, model: ScoringModel, frames: int, stride: int):
        self._model, self._frames, self._stride = model, frames, stride
        self._kept: np.ndarray | None = None
        self._first = 0  # number of the first kept frame
        self._next = 0  # number of the frame that the next window begins with

    def feed(self, features: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Number of each window's last frame, and its posteriors."""
        kept = features if self._kept is None else np.concatenate([self._kept, features])
        while (begin := self._next - self._first) + self._frames <= len(kept):
            window = kept[begin : begin + self._frames]
            yield self._next + self._frames - 1, self._model.posteriors(window[np.newaxis])[0]
            self._next += self._stride
        gone = min(begin, len(kept))
        self._kept, self._first = kept[gone:].copy(), self._first + gone


class _Steps:
    """A streaming model: it runs at every step, and every `stride`th is heeded."""

    def __init__(self, model: StreamingModel, stride: int):
        self._model, self._stride = model, stride
        self._kept: np.ndarray | None = None
        self._steps = 0

    def feed(self, features: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Number of each heeded step's last frame, and its posteriors."""
        kept = features if self._kept is None else np.concatenate([self._kept, features])
        size = self._model.frames_per_step
        count = len(kept) // size
        self._kept = kept[count * size :].copy()
        if not count:
            return
        rows = self._model.stream(kept[: count * size], fresh=self._steps == 0)
        first, self._steps = self._steps, self._steps + count
        for number, row in enumerate(rows, first):
            beyond = number - self._model.warm_up_steps
            if beyond >= 0 and beyond % self._stride == 0:
                yield (number + 1) * size - 1, row
