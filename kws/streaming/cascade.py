"""A cascade: a tiny model listens always, a larger one hears only what the first lets through.

    frames        ─────────────────────────────────────────────────────────────────
    first stage   . . . . . . . . . . P P P . . . . . . . . . . . . . . . P . . . .
    second stage                      ├──────── hold_ms ────┤             ├── hold_ms ──
                                      ^ from the last P on                ^

`P` is a row in which the first stage's score, smoothed as its own detector smooths, reaches the
cascade's threshold (any keyword of its will do). From then on, and for `hold_ms` after the last P,
the second stage runs at its own stride. The detector takes its rows alone, one after another.

Both stages share one frontend, which runs all the time and keeps its last frames in a ring buffer,
so the second stage has heard what came before: a windowed model its whole window, a streaming one
its warm-up, which it runs through at once when it wakes, from a fresh state.

`hear` runs a whole stream at array speed; `kws.streaming.cascade_steps.Cascade` does the same frame
by frame, as a device does, with the same detections.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kws.features.params import FeatureParams
from kws.streaming.cascade_stage import Stage, frame_end_ms
from kws.streaming.detector import detect
from kws.streaming.params import DetectorParams
from kws.streaming.posteriors import (
    BATCH_WINDOWS,
    SlidingModel,
    StreamingModel,
    stream_posteriors,
)


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
      times_ms, posteriors: the second stage's rows, `[n]` and `[n, its labels]`.
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
      first, second: see `check`.
      features: `[frames, channels]` of the whole stream, of the shared frontend.
      threshold, hold_ms: see `kws.streaming.cascade_params.CascadeParams`.
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
