"""Runs int8 models in TensorFlow Lite Micro's own interpreter, in a separate process.

A crash of the interpreter becomes an error. The models have the interface of `Int8Model` and
`Int8StreamingModel` and take the same features, so streams can be scored as the device does.
TFLM's plain kernels take about sixteen times as long as TFLite's optimized ones for a window of a
24,000-parameter DS-CNN.
"""

import contextlib
import dataclasses
import io
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

import kws
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.runtime.int8_file import Int8File
from kws.runtime.streaming_model import Int8StreamingModel
from kws.runtime.tflite_model import Int8Model

ARENA_BYTES_TRIED = 16 << 20
_TIMEOUT_S = 600
_ALLOCATION = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TflmRun:
    """What TFLM made of some inputs.

    Attributes:
      outputs: int8 `[n, labels]`, or `[n, steps, labels]` of streams.
      arena_bytes: head and tail; the smallest arena in which the model runs.
      arena_head_bytes: activations and scratch buffers, shared over time.
      arena_tail_bytes: what is kept: tensor and node structs, per-channel quantization. Structs are
        measured with this machine's 64-bit pointers, so a 32-bit device needs somewhat less.
    """

    outputs: np.ndarray
    arena_bytes: int
    arena_head_bytes: int
    arena_tail_bytes: int


def run(content: bytes, inputs: np.ndarray, arena_bytes: int = ARENA_BYTES_TRIED) -> TflmRun:
    """Runs inputs one by one through TFLM's reference kernels.

    Args:
      content: of a `.tflite` file.
      inputs: at least one. `[n, frames, channels]` go through one interpreter in turn: windows, or
        the steps of one stream. `[n, steps, frames, channels]` are n streams, of which each meets
        a new interpreter.
      arena_bytes: what the interpreter is given.

    Raises:
      KwsError: TFLM cannot run the model in such an arena, with what it printed.
    """
    with Tflm(content, arena_bytes) as interpreter:
        outputs = []
        for number, stream in enumerate(inputs if inputs.ndim == 4 else inputs[None]):
            if number:
                interpreter.reset()
            outputs.append(interpreter.run(stream))
        sizes = interpreter.arena()
    return TflmRun(
        outputs=np.concatenate(outputs).reshape(*inputs.shape[:-2], -1),
        arena_bytes=sizes["total"],
        arena_head_bytes=sizes["head"],
        arena_tail_bytes=sizes["tail"],
    )


class Tflm:
    """One interpreter that stays: what it is given next follows on what it was given before.

    Its process ends with `close`, with the `with` block, or with this object.
    """

    def __init__(self, content: bytes, arena_bytes: int = ARENA_BYTES_TRIED):
        """Starts the process, which loads the model.

        Args:
          content: of a `.tflite` file.
          arena_bytes: what the interpreter is given.
        """
        self._arena_bytes = arena_bytes
        self._printed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, closed by _end
        root = str(Path(kws.__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kws.runtime.tflm_worker", str(arena_bytes)],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
        )
        self._end = weakref.finalize(self, _end, self._process, self._printed)
        self._ask(content)

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """Outputs `[n, values]` of inputs `[n, ...]`, each shaped as the model's without its batch.

        Raises:
          KwsError: TFLM cannot run the model in such an arena, with what it printed.
        """
        packed = io.BytesIO()
        np.save(packed, np.ascontiguousarray(inputs))
        return np.load(io.BytesIO(self._ask(packed.getvalue())))

    def reset(self) -> None:
        """A new interpreter: the model has heard nothing yet."""
        self._ask(b"reset")

    def arena(self) -> dict[str, int]:
        """Bytes of "total", "head" and "tail", by TFLM's recording allocator."""
        self._ask(b"arena")
        sizes = {part: int(size) for part, size in _ALLOCATION.findall(self._said())}
        if set(sizes) != {"total", "head", "tail"}:
            raise self._failure()
        return sizes

    def close(self) -> None:
        """Ends the process."""
        self._end()

    def __enter__(self) -> "Tflm":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _ask(self, message: bytes) -> bytes:
        """Sends bytes and gives what comes back; a process that is silent for too long is ended."""
        source, sink = self._process.stdout, self._process.stdin
        assert source is not None and sink is not None
        watchdog = threading.Timer(_TIMEOUT_S, self._process.kill)
        watchdog.start()
        try:
            sink.write(struct.pack("<Q", len(message)) + message)
            sink.flush()
            size = source.read(8)
            if len(size) == 8:
                return source.read(struct.unpack("<Q", size)[0])
        except BrokenPipeError:
            pass
        finally:
            late = not watchdog.is_alive()
            watchdog.cancel()
        if late:
            raise KwsError(f"TFLM did not finish within {_TIMEOUT_S} s")
        raise self._failure()

    def _failure(self) -> KwsError:
        status = self._process.wait()
        lines = [line.strip() for line in self._said().splitlines() if line.strip()]
        return KwsError(
            f"TFLM cannot run the model in an arena of {self._arena_bytes} bytes "
            f"(exit status {status}): {'; '.join(lines[-3:]) or 'it printed nothing'}"
        )

    def _said(self) -> str:
        self._printed.seek(0)
        return self._printed.read().decode(errors="replace")


def _end(process: subprocess.Popen, printed: IO[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    printed.close()


class _InTflm(Int8File):
    """What both kinds have: the file is loaded twice, by TFLite for its shapes and by TFLM."""

    def __init__(
        self,
        content: bytes,
        labels: Sequence[str],
        feature_params: FeatureParams,
        num_threads: int = 1,
    ):
        """Loads the model from the bytes of its file, in a process of its own.

        Raises:
          KwsError: as of `the other base class`, or TFLM cannot load the file.
        """
        super().__init__(content, labels, feature_params, num_threads)
        self._tflm = Tflm(content)


class TflmModel(_InTflm, Int8Model):
    """A windowed model in TFLM; see `Int8Model`."""

    @staticmethod
    def _needs_reference_kernels(content: bytes) -> bool:
        return False  # TFLite only tells shapes and scales here: what it would compute is not asked

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """int8 outputs `[n, labels]` of int8 inputs `[n, frames, channels]`."""
        return self._tflm.run(inputs).reshape(len(inputs), len(self.labels))


class TflmStreamingModel(_InTflm, Int8StreamingModel):
    """A streaming model in TFLM; see `Int8StreamingModel`."""

    def _parts(self, content: bytes, num_threads: int) -> tuple[None, Any]:
        return None, self._interpreter  # as above: TFLite computes nothing here

    def run_steps(self, inputs: np.ndarray, *, fresh: bool = True) -> np.ndarray:
        """int8 outputs `[steps, labels]` of the int8 steps `[steps, frames_per_step, channels]`."""
        if fresh:
            self.reset()
        self._fresh = self._fresh and not len(inputs)
        return self._tflm.run(inputs).reshape(len(inputs), len(self.labels))

    def reset(self) -> None:
        """Puts the model at the start of a stream."""
        if not self._fresh:
            self._tflm.reset()
            self._fresh = True
