"""A cascade: a tiny model always listens, and a larger one runs only while the first wakes it.

    frames        ─────────────────────────────────────────────────────────────────
    first stage   . . . . . . . . . . P P P . . . . . . . . . . . . . . . P . . . .
    second stage                      ├──────── hold_ms ────┤             ├── hold_ms ──
                                      ^ from the last P on                ^

`P` marks a row in which the first stage's score, smoothed as its own detector does, reaches the
cascade's threshold for any of its keywords. From then on, until `hold_ms` after the last P, the
second stage runs at its own stride. Only its rows go to the detector.

Both stages share one frontend, which always runs and keeps its last frames in a ring buffer, so
the second stage also receives what came before: a windowed model its whole window, a streaming
one its warm-up, which it runs through at once when it wakes, from a fresh state.

`hear` runs a whole stream at array speed; `Cascade` does the same frame by frame, as a device
does, with the same detections.
"""

import collections
import dataclasses
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from kws.detection.detector import Detection, Detector, detect
from kws.detection.params import DetectorParams
from kws.detection.posteriors import (
    BATCH_WINDOWS,
    ScoringModel,
    SlidingModel,
    StreamFrontend,
    StreamingModel,
    stream_posteriors,
    stride_steps,
)
from kws.errors import KwsError
from kws.features.params import FeatureParams


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


class FirstRows(NamedTuple):
    """What the first stage said: int64 `[m]` and float32 `[m, its labels]`."""

    times_ms: np.ndarray
    posteriors: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class CascadeStream:
    """One stream, heard by both stages.

    Attributes:
      first: the first stage's rows.
      awake: bool `[frames]`: where the second stage ran.
      times_ms: of the second stage's rows, `[n]`.
      posteriors: of the second stage, `[n, its labels]`.
    """

    first: FirstRows
    awake: np.ndarray
    times_ms: np.ndarray
    posteriors: np.ndarray


def waking(first: DetectorParams, threshold: float) -> DetectorParams:
    """The first stage's detector as a cascade uses it: every row that reaches the threshold."""
    loose = {"suppression_ms": 0, "rearm": False, "steps_between": 1}
    return first.model_copy(update={"detection_threshold": threshold, **loose})


def hold_frames(hold_ms: int, params: FeatureParams) -> int:
    """Frames that the second stage runs for, the waking one among them."""
    return int(np.ceil(hold_ms / params.window_stride_ms))


def awake_frames(
    first: Stage, heard: FirstRows, frames: int, *, threshold: float, hold_ms: int
) -> np.ndarray:
    """bool `[frames]`: where the second stage runs, given the first stage's rows."""
    detector = waking(first.detector, threshold)
    found = detect(heard.times_ms, heard.posteriors, detector, first.model.labels)
    passed = np.isin(heard.times_ms, [detection.end_ms for detection in found])
    woken = first.rows.last_frames(frames)[passed]
    hold = hold_frames(hold_ms, first.params)
    edges = np.zeros(frames + 1, np.int64)
    np.add.at(edges, woken, 1)
    np.add.at(edges, np.minimum(woken + hold, frames), -1)
    return np.cumsum(edges[:-1]) > 0


def listen(stage: Stage, features: np.ndarray, awake: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A model that is only awake in some frames of a stream.

    Args:
      stage: the model.
      features: `[frames, channels]`.
      awake: bool `[frames]`; with all of them it is a model on its own.

    Returns:
      times_ms: int64 `[n]` of its rows.
      posteriors: float32 `[n, labels]`.
    """
    rows = stage.rows
    frames = rows.last_frames(len(features))
    frames = frames[awake[frames]]
    posteriors = np.zeros((len(frames), len(stage.model.labels)), np.float32)
    if not isinstance(stage.model, StreamingModel):
        score: Callable[[np.ndarray], np.ndarray] = stage.model.posteriors
        if isinstance(stage.model, SlidingModel):
            features, score = stage.model.prepare(features), stage.model.prepared_posteriors
        for start in range(0, len(frames), BATCH_WINDOWS):
            some = frames[start : start + BATCH_WINDOWS]
            windows = np.stack([features[last - rows.frames + 1 : last + 1] for last in some])
            posteriors[start : start + BATCH_WINDOWS] = score(windows)
        return frame_end_ms(frames, stage.params), posteriors
    assert rows.step is not None
    for start, stop in rows.runs(awake):
        steps = stage.model.stream(features[start:stop], fresh=True)
        inside = (frames >= start + rows.frames - 1) & (frames < stop)
        posteriors[inside] = steps[(frames[inside] + 1 - start) // rows.step - 1]
    return frame_end_ms(frames, stage.params), posteriors


def hear(
    first: Stage, second: Stage, features: np.ndarray, *, threshold: float, hold_ms: int
) -> CascadeStream:
    """Runs both stages over a stream.

    Args:
      first: see `check`.
      second: see `check`.
      features: `[frames, channels]` of the whole stream, of the shared frontend.
      threshold: see `kws.detection.params.CascadeParams`.
      hold_ms: see `kws.detection.params.CascadeParams`.
    """
    given = _Given(first.params, features)
    stride_ms, nothing = first.detector.clip_stride_ms, np.zeros(0, np.int16)
    heard = FirstRows(*stream_posteriors(first.model, given, nothing, stride_ms))
    awake = awake_frames(first, heard, len(features), threshold=threshold, hold_ms=hold_ms)
    times_ms, posteriors = listen(second, features, awake)
    return CascadeStream(first=heard, awake=awake, times_ms=times_ms, posteriors=posteriors)


@dataclasses.dataclass(frozen=True)
class _Given:
    """A frontend whose work is done."""

    params: FeatureParams
    features: np.ndarray

    def compute(self, audio: np.ndarray) -> np.ndarray:
        return self.features


class Cascade:
    """Two stages and the detector behind them; gives what `kws.detection.cascade.hear` gives.

    Attributes:
      first_inferences: of the first stage so far.
      second_inferences: of the second stage so far.
      frames: so far.
      awake_frames: how many of them the second stage was awake in.
    """

    def __init__(self, first: Stage, second: Stage, *, threshold: float, hold_ms: int):
        """Both at the start of a stream; arguments as of `hear`.

        Raises:
          KwsError: the two cannot be a cascade.
        """
        check(first, second, hold_ms)
        self._first, self._second = _Runner(first), _Runner(second)
        self._waking = Detector(waking(first.detector, threshold), first.model.labels)
        self._detector = Detector(second.detector, second.model.labels)
        self._params = second.params
        self._hold = hold_frames(hold_ms, second.params)
        # A streaming stage may wake up to a stride before its next row: no more is needed then.
        longest = max(stage.rows.frames for stage in (first, second))
        self._ring: collections.deque[np.ndarray] = collections.deque(maxlen=longest)
        self._awake_until = 0
        self.frames = 0
        self.awake_frames = 0
        self._first.wake(0)

    @property
    def first_inferences(self) -> int:
        return self._first.inferences

    @property
    def second_inferences(self) -> int:
        return self._second.inferences

    def step(self, frame: np.ndarray) -> Detection | None:
        """Takes the next frame `[channels]` of the shared frontend."""
        now = self.frames
        self.frames += 1
        self._ring.append(np.asarray(frame))
        time_ms = int(frame_end_ms(now, self._params))
        was_awake = now < self._awake_until
        row = self._first.row(now, self._ring)
        if row is not None and self._waking.step(time_ms, row) is not None:
            self._awake_until = now + self._hold
        if now >= self._awake_until:
            return None
        self.awake_frames += 1
        if not was_awake:
            self._second.wake(now)
        row = self._second.row(now, self._ring)
        return None if row is None else self._detector.step(time_ms, row)


class _Runner:
    """One model, which answers at some of the frames in which it is awake."""

    def __init__(self, stage: Stage):
        self._model, self._rows = stage.model, stage.rows
        self._fed = 0
        self._fresh = True
        self.inferences = 0

    def wake(self, now: int) -> None:
        """From this frame on; a streaming model forgets, and goes back to where it must begin."""
        self._fed = self._rows.next_row(now) - self._rows.frames + 1
        self._fresh = True

    def row(self, now: int, ring: collections.deque[np.ndarray]) -> np.ndarray | None:
        """The posteriors `[labels]` with frame `now`, if it is one that ends a row."""
        ends = now >= self._rows.first and (now - self._rows.first) % self._rows.stride == 0
        if not isinstance(self._model, StreamingModel):
            if not ends:
                return None
            self.inferences += 1
            window = np.stack(list(ring)[-self._rows.frames :])
            return self._model.posteriors(window[None])[0]
        step = self._model.frames_per_step
        steps = (now + 1 - self._fed) // step
        if steps <= 0:
            return None
        frames = list(ring)[len(ring) - (now + 1 - self._fed) :][: steps * step]
        outputs = self._model.stream(np.stack(frames), fresh=self._fresh)
        self._fresh = False
        self._fed += steps * step
        self.inferences += steps
        return outputs[-1] if ends else None
