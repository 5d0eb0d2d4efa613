"""TensorFlow Lite Micro's own interpreter, in a process of its own: a crash becomes an error."""

import dataclasses
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import kws
from kws.errors import KwsError

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
    """Runs int8 inputs one by one through TFLM's reference kernels.

    Args:
      content: of an int8 `.tflite` file.
      inputs: at least one. `[n, frames, channels]` go through one interpreter in turn: windows, or
        the steps of one stream. `[n, steps, frames, channels]` are n streams, of which each meets
        a new interpreter.
      arena_bytes: what the interpreter is given.

    Raises:
      KwsError: TFLM cannot run the model in such an arena, with what it printed.
    """
    with tempfile.TemporaryDirectory(prefix="tflm-") as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(content)
        np.save(folder / "inputs.npy", inputs)
        command = [sys.executable, "-m", "kws.micro.tflm_worker", name, str(arena_bytes)]
        root = str(Path(kws.__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        try:
            done = subprocess.run(
                command,
                env={**os.environ, "PYTHONPATH": path},
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise KwsError(f"TFLM did not finish within {_TIMEOUT_S} s") from error
        printed = done.stdout + done.stderr
        sizes = {part: int(size) for part, size in _ALLOCATION.findall(printed)}
        if done.returncode or set(sizes) != {"total", "head", "tail"}:
            raise KwsError(
                f"TFLM cannot run the model in an arena of {arena_bytes} bytes "
                f"(exit status {done.returncode}): {_last_lines(printed)}"
            )
        return TflmRun(
            outputs=np.load(folder / "outputs.npy"),
            arena_bytes=sizes["total"],
            arena_head_bytes=sizes["head"],
            arena_tail_bytes=sizes["tail"],
        )


def _last_lines(printed: str) -> str:
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return "; ".join(lines[-3:]) or "it printed nothing"
