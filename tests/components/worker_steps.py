"""What worker processes do in tests: a module that imports next to nothing, so they start fast."""

import os
import pathlib
import time


def note(_number: int, folder: str) -> None:
    """Leaves a file named by the process, with the GPUs that it sees."""
    pathlib.Path(folder, str(os.getpid())).write_text(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
    time.sleep(0.2)


def work_for_ever(_number: int, folder: str) -> None:
    """Leaves a file named by the process, and does not end."""
    pathlib.Path(folder, str(os.getpid())).touch()
    time.sleep(600)


def fail(number: int) -> float:
    """Raises for 0."""
    return 1 / number
