"""The process that `kws.runtime.tflm` starts: `python -m kws.runtime.tflm_worker ARENA_BYTES`.

A message is its length in eight bytes and its bytes, and each is answered by one. The first holds
the model's file; those after it are an array of inputs as of `numpy.save`, answered by the array of
outputs, or `reset` or `arena`, answered by nothing. TFLM prints what it has to say by itself.
"""

import io
import os
import struct
import sys
from typing import Any

import numpy as np


def main() -> None:
    # What TFLM prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def receive() -> bytes | None:
        size = sys.stdin.buffer.read(8)
        return sys.stdin.buffer.read(struct.unpack("<Q", size)[0]) if len(size) == 8 else None

    def answer(message: bytes) -> None:
        answers.write(struct.pack("<Q", len(message)) + message)
        answers.flush()

    from tflite_micro import runtime

    content = receive()
    assert content is not None

    def interpreter() -> runtime.Interpreter:
        return runtime.Interpreter.from_bytes(content, arena_size=int(sys.argv[1]))

    current = interpreter()
    answer(b"")
    while (message := receive()) is not None:
        if message == b"reset":
            current = interpreter()
            answer(b"")
        elif message == b"arena":
            current.print_allocations()
            answer(b"")
        else:
            packed = io.BytesIO()
            np.save(packed, outputs_of(current, np.load(io.BytesIO(message))))
            answer(packed.getvalue())


def outputs_of(interpreter: Any, inputs: np.ndarray) -> np.ndarray:
    """`[n, values]` of `[n, ...]`, one after another; no outputs of no inputs."""
    outputs = []
    for values in inputs:
        interpreter.set_input(values[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).reshape(-1).copy())
    return np.stack(outputs) if outputs else np.zeros((0, 0), np.int8)


if __name__ == "__main__":
    main()
