"""How long one inference of any `.tflite` file takes: in TFLite with several kernels, in TFLM.

By the processor time of this process, which other work on the machine changes little.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

ENOUGH_S = 1.0
_AT_A_TIME = 8


def seconds_per_call(call: Callable[[int], Any], enough_s: float = ENOUGH_S) -> float:
    """Processor seconds of `call(n)` for n = 0, 1, 2, ..., the median of some rounds.

    Rounds go on until they have taken `enough_s` seconds, and there are at least three.
    """
    call(0)
    spent, number = 0.0, 1
    rounds: list[float] = []
    while spent < enough_s or len(rounds) < 3:
        start = time.process_time()
        for _ in range(_AT_A_TIME):
            call(number)
            number += 1
        rounds.append((time.process_time() - start) / _AT_A_TIME)
        spent += rounds[-1] * _AT_A_TIME
    return float(np.median(rounds))


def random_inputs(content: bytes) -> np.ndarray:
    """int8 `[64, 1, ...]` for a file's input."""
    from kws.runtime import kernels

    (source,) = kernels.interpreter(content, reference=True).get_input_details()
    return np.random.default_rng(0).integers(-128, 128, (64, *source["shape"])).astype(np.int8)


def least_seconds(call: Callable[[], Any], passes: int = 4) -> float:
    """Processor seconds of the fastest of some passes over the same.

    The first pass of a process touches new memory, which the system hands out page by page: on a
    virtual machine with neighbours that alone can take longer than the work.
    """
    spent = []
    for _ in range(passes):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return min(spent)


def tflite_seconds(
    content: bytes, *, reference: bool, xnnpack: bool = False, enough_s: float = ENOUGH_S
) -> float:
    """Of an inference in TFLite on one thread.

    Args:
      content: of a `.tflite` file.
      reference: TFLite's plain kernels; else the optimized ones as `kernels.fast_and_exact` has
        them, for windowed files only.
      xnnpack: XNNPACK instead, as TFLite does unless told otherwise.
      enough_s: see `seconds_per_call`.
    """
    import tensorflow as tf

    from kws.runtime import kernels

    if xnnpack:
        interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    elif reference:
        interpreter = kernels.interpreter(content, reference=True)
    else:
        interpreter = kernels.fast_and_exact(content)
    source = interpreter.get_input_details()[0]["index"]
    inputs = random_inputs(content)

    def call(number: int) -> None:
        interpreter.set_tensor(source, inputs[number % len(inputs)])
        interpreter.invoke()

    return seconds_per_call(call, enough_s)


def tflm_seconds(content: bytes, enough_s: float = ENOUGH_S) -> float:
    """Of an inference in TensorFlow Lite Micro's interpreter, in this process."""
    from tflite_micro import runtime

    from kws.runtime.tflm import ARENA_BYTES_TRIED

    interpreter = runtime.Interpreter.from_bytes(content, arena_size=ARENA_BYTES_TRIED)
    inputs = random_inputs(content)

    def call(number: int) -> None:
        interpreter.set_input(inputs[number % len(inputs)], 0)
        interpreter.invoke()

    return seconds_per_call(call, enough_s)
