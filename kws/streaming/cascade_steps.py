"""A cascade frame by frame, as a device runs it: a ring buffer of frames and two models."""

import collections

import numpy as np

from kws.streaming.cascade import hold_frames, waking
from kws.streaming.cascade_stage import Stage, check, frame_end_ms
from kws.streaming.detector import Detection, Detector
from kws.streaming.posteriors import StreamingModel


class Cascade:
    """Two stages and the detector behind them; gives what `kws.streaming.cascade.hear` gives.

    Attributes:
      first_inferences, second_inferences: so far.
      frames, awake_frames: so far, and how many of them the second stage was awake in.
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
