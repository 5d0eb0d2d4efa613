"""The first layers of a streaming file, which hear the last few frames, for many steps at a time.

A one-step form begins with a memory of former frames: they are read, the step's own are laid after
them, a convolution takes all, and the last of them are kept for the next step. Up to the next
memory nothing depends on what was computed before, so the layers in between may take the frames of
many steps as a batch. In a step of a trigger_gru that is 70 % of the multiply-adds, and as a matrix
multiplication of 32 rows it takes TFLite's optimized kernels an eighth of the time of its plain
ones.

The rest of the file, with all its other memories, goes on a step at a time on the plain kernels.
"""

from typing import Any

import numpy as np

from kws.micro import kernels
from kws.micro.leading_cut import BATCH, Cut

_ENOUGH = 6
"""Steps that make a batch worth while."""
_TRIALS = 3 * BATCH + 1


class LeadingPart:
    """The layers, run over a stream. It remembers the last frames, as the file does."""

    def __init__(self, parts: Cut, num_threads: int = 1):
        self._one = _Layers(kernels.interpreter(parts.one, reference=True))
        self._many = _Layers(kernels.interpreter(parts.many, num_threads, reference=False))
        self._heard = parts.heard
        self.reset()

    def reset(self) -> None:
        """Puts it at the start of a stream."""
        self._past = self._heard

    def run(self, steps: np.ndarray) -> np.ndarray:
        """What the layers make, int8 `[steps, ...]`, of `[steps, frames_per_step, channels]`."""
        count, frames_per_step, channels = steps.shape
        made = np.zeros((count, *self._one.made_shape), np.int8)
        if not count:
            return made
        frames = np.concatenate([self._past, steps.reshape(-1, channels)])
        self._past = frames[len(frames) - len(self._heard) :].copy()  # the others are let go
        span = len(self._heard) + frames_per_step
        windows = np.lib.stride_tricks.sliding_window_view(frames, span, axis=0)
        windows = windows[::frames_per_step].swapaxes(1, 2)  # [steps, frames, channels], a view
        for start in range(0, count, BATCH):
            batch = slice(start, min(start + BATCH, count))
            if batch.stop - start >= _ENOUGH:
                made[batch] = self._many.run(windows[batch])
            else:
                for step in range(start, batch.stop):
                    made[step] = self._one.run(windows[step : step + 1])
        return made


class _Layers:
    """An interpreter of them, for up to so many steps."""

    def __init__(self, interpreter: Any):
        self._interpreter = interpreter
        (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
        self._source, self._sink = source["index"], sink["index"]
        self._inputs = np.zeros(source["shape"], np.int8)
        self.made_shape = tuple(int(size) for size in sink["shape"][1:])

    def run(self, windows: np.ndarray) -> np.ndarray:
        """What they make of `[steps, frames, channels]`; the rest of a batch is not heeded."""
        count = len(windows)
        self._inputs[:count] = windows.reshape(count, *self._inputs.shape[1:])
        self._interpreter.set_tensor(self._source, self._inputs)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._sink)[:count]


def agrees(content: bytes, parts: Cut) -> bool:
    """Whether the layers give the whole file's numbers on this machine, on steps of noise."""
    plain = kernels.interpreter(content, reference=True, keep_all=True)
    (source,) = plain.get_input_details()
    rng = np.random.default_rng(0)
    # Louder and quieter, about the middle of the range, where activations are not cut off.
    spread = rng.uniform(10, 90, (_TRIALS, *(1 for _ in source["shape"][1:])))
    values = rng.normal(0, spread, (_TRIALS, *source["shape"][1:]))
    steps = np.clip(np.rint(values), -128, 127).astype(np.int8)
    expected = []
    for step in steps:
        plain.set_tensor(source["index"], step[None])
        plain.invoke()
        expected.append(plain.get_tensor(parts.made)[0])
    return np.array_equal(LeadingPart(parts).run(steps), np.stack(expected))
