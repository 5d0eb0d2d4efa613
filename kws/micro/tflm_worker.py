"""The process that `kws.micro.tflm` starts: `python -m kws.micro.tflm_worker FOLDER ARENA_BYTES`.

Reads `model.tflite` and `inputs.npy` in the folder, writes `outputs.npy`; TFLM prints the arena's
allocations by itself.
"""

import sys
from pathlib import Path

import numpy as np


def main() -> None:
    from tflite_micro import runtime

    folder = Path(sys.argv[1])
    content = (folder / "model.tflite").read_bytes()
    inputs = np.load(folder / "inputs.npy")
    streams = inputs if inputs.ndim == 4 else inputs[None]
    outputs = []
    for stream in streams:
        interpreter = runtime.Interpreter.from_bytes(content, arena_size=int(sys.argv[2]))
        for frames in stream:
            interpreter.set_input(frames[None], 0)
            interpreter.invoke()
            outputs.append(interpreter.get_output(0).reshape(-1).copy())
    shape = inputs.shape[:-2]
    np.save(folder / "outputs.npy", np.stack(outputs).reshape(*shape, -1))
    interpreter.print_allocations()


if __name__ == "__main__":
    main()
