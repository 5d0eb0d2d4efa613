"""Which of TFLite's kernels give TensorFlow Lite Micro's numbers for a given file.

TFLite's plain ("reference") kernels are TFLM's: they agree bit for bit on every model of the zoo
(MUL once did not: see `mul_scales`). Its optimized kernels are several times as fast and round
negative ties otherwise, so a windowed file is written in a form in which they meet none
(`sign_split`). Their SOFTMAX is off in one of some 100,000 values, which no trial would show: the
last layers run on the plain kernels always (`two_part`). Whether the others agree then is tried, on
the file itself and on this machine, whenever one is loaded.
"""

from typing import Any

import numpy as np

from kws.errors import KwsError
from kws.micro import lite_runtime, sign_split, two_part

_TRIALS = 6
"""Inputs that are compared. Where kernels differ, hundreds of values of each do."""


def interpreter(
    content: bytes, num_threads: int = 1, *, reference: bool, keep_all: bool = False
) -> Any:
    """An allocated TFLite interpreter without XNNPACK, which rounds otherwise than TFLM.

    Args:
      content: of a `.tflite` file.
      num_threads: of the optimized kernels.
      reference: the plain kernels in place of the optimized ones.
      keep_all: all activations can be read after a run.

    Raises:
      KwsError: the bytes are no TFLite model.
    """
    try:
        made = lite_runtime.interpreter(
            content, num_threads, reference=reference, keep_all=keep_all
        )
        made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise KwsError(f"TFLite cannot load the model: {error}") from error
    return made


def fast_and_exact(content: bytes, num_threads: int = 1) -> Any:
    """An interpreter of a windowed file: optimized kernels up to its last layers, plain ones there.

    Only for files of which `optimized_agree`, or of the same network.
    """
    parts = two_part.cut(content)
    if parts is None:
        raise ValueError("the file cannot be cut before its last layers")
    return two_part.TwoPartInterpreter(
        interpreter(sign_split.split(parts[0]), num_threads, reference=False),
        interpreter(parts[1], num_threads, reference=True),
    )


def optimized_agree(content: bytes) -> bool:
    """Whether the optimized kernels of `fast_and_exact` give the plain kernels' numbers before the
    last layers, all activations included.

    Args:
      content: of a windowed int8 `.tflite` file; one that `two_part` cannot cut does not agree.
    """
    parts = two_part.cut(content)
    if parts is None:
        return False
    plain = interpreter(parts[0], reference=True, keep_all=True)
    both = (interpreter(sign_split.split(parts[0]), reference=False, keep_all=True), plain)
    (source,) = plain.get_input_details()
    tensors = [index for op in plain._get_ops_details() for index in op["outputs"]]
    rng = np.random.default_rng(0)
    for trial in range(_TRIALS):
        # Loud and quiet, but about the middle of the range, where activations are not cut off.
        values = rng.normal(0, 30 * (1 + trial % 3), source["shape"])
        inputs = np.clip(np.rint(values), -128, 127).astype(source["dtype"])
        for one in both:
            one.set_tensor(source["index"], inputs)
            one.invoke()
        for index in tensors:
            if not np.array_equal(*(one.get_tensor(index) for one in both)):
                return False
    return True
