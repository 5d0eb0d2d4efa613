"""One stage of a cascade: when it answers, what that costs, and which two go together."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.streaming.params import DetectorParams
from kws.streaming.posteriors import (
    ScoringModel,
    StreamFrontend,
    StreamingModel,
    stride_steps,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """A model of a cascade.

    Attributes:
      model: int8.
      frontend: that it was trained with; the two stages' may differ in the clip's length alone.
      detector: how its rows are smoothed, and how often there is one.
      macs: of one inference.
    """

    model: ScoringModel | StreamingModel
    frontend: StreamFrontend
    detector: DetectorParams
    macs: int

    @property
    def params(self) -> FeatureParams:
        """Of its features."""
        return self.frontend.params

    @property
    def rows(self) -> "Rows":
        """At which frames it answers."""
        stride, hop = self.detector.clip_stride_ms, self.params.window_stride_ms
        if isinstance(self.model, StreamingModel):
            step = self.model.frames_per_step
            steps = stride_steps(stride, step, hop)
            first = (self.model.warm_up_steps + 1) * step - 1
            return Rows(first=first, stride=steps * step, step=step, frames=first + 1)
        if stride % hop:
            raise KwsError(
                f"clip_stride_ms={stride} is no multiple of the frontend's window_stride_ms={hop}",
                hint="a window can only begin at a frame",
            )
        frames = self.params.feature_shape[0]
        return Rows(first=frames - 1, stride=int(stride // hop), step=None, frames=frames)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rows:
    """When a model answers, counted in frames from the stream's beginning.

    Attributes:
      first: the last frame that its first row hears.
      stride: frames between rows.
      step: frames of a step; None of a windowed model.
      frames: that a row needs: a window, or a warm-up and its step.
    """

    first: int
    stride: int
    step: int | None
    frames: int

    def last_frames(self, count: int) -> np.ndarray:
        """The last frame of every row in a stream of `count` frames."""
        return np.arange(self.first, count, self.stride)

    def always_on(self, count: int) -> int:
        """Inferences in a stream of `count` frames; a streaming model cannot leave out a step."""
        return count // self.step if self.step else len(self.last_frames(count))

    def next_row(self, frame: int) -> int:
        """The first row's last frame from `frame` on."""
        return self.first + max(0, -(-(frame - self.first) // self.stride)) * self.stride

    def inferences(self, awake: np.ndarray) -> int:
        """Inferences of a model that is only awake in some frames, warm-ups among them."""
        if self.step is None:
            return int(awake[self.last_frames(len(awake))].sum())
        return sum(stop - start for start, stop in self.runs(awake)) // self.step

    def runs(self, awake: np.ndarray) -> Iterator[tuple[int, int]]:
        """First frame and end of what a streaming model is fed, each from a fresh state."""
        assert self.step is not None
        for start, stop in spans(awake):
            fed = self.next_row(start) - self.frames + 1
            whole = stop // self.step * self.step
            if whole > fed:
                yield fed, whole


def check(first: Stage, second: Stage, hold_ms: int) -> None:
    """Raises KwsError, in one line, if the two cannot be a cascade.

    Supported: a first stage of other labels, architecture, clip length, stride and detector;
    windowed and streaming models in either place.
    """
    same_frontend(first.params, second.params)
    detector = second.detector
    if detector.rule != "average" or detector.rearm:
        raise KwsError(
            f"the second stage's detector has rule={detector.rule}, rearm={detector.rearm}: only "
            "rule average without rearm knows what to do where rows are missing"
        )
    needed = detector.minimum_count * detector.clip_stride_ms
    if hold_ms < needed:
        raise KwsError(
            f"hold_ms={hold_ms} is shorter than the {detector.minimum_count} rows, "
            f"{detector.clip_stride_ms} ms apart, that a detection needs",
            hint=f"give at least {needed}",
        )
    for stage in (first, second):
        stage.rows  # noqa: B018 (a stride that is no multiple of its frames is refused here)


def same_frontend(first: FeatureParams, second: FeatureParams) -> None:
    """Raises KwsError that names the first parameter in which two stages' frontends differ."""
    theirs, ours = (
        params.model_copy(update={"clip_duration_ms": 0}).model_dump() for params in (first, second)
    )
    for name, value in ours.items():
        if theirs[name] != value:
            raise KwsError(
                f"the first stage has {name}={theirs[name]}, the second {name}={value}: the stages "
                "of a cascade share one frontend",
                hint="train both on the same features; clip_duration_ms alone may differ",
            )


def frame_end_ms(frame: np.ndarray | int, params: FeatureParams) -> np.ndarray:
    """int64: when frames are over."""
    return np.rint(np.asarray(frame) * params.window_stride_ms + params.window_size_ms).astype(
        np.int64
    )


def spans(awake: np.ndarray) -> Iterator[tuple[int, int]]:
    """First frame and end of every stretch that is awake."""
    changes = np.flatnonzero(np.diff(np.concatenate([[0], awake.astype(np.int8), [0]])))
    yield from ((int(start), int(stop)) for start, stop in changes.reshape(-1, 2))
