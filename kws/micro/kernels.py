"""Which of TFLite's kernels give TensorFlow Lite Micro's numbers for a given file.

TFLite's plain ("reference") kernels are TFLM's: they agreed bit for bit on every model of the zoo.
Its optimized kernels are several times as fast and round a few values otherwise, in some shapes of
convolution and on some processors: a DS-CNN's came out the same, of a TC-ResNet's whole activations
were one step off. So it is tried, on the file itself and on this machine, whenever one is loaded.
"""

from typing import Any

import numpy as np

from kws.errors import KwsError
from kws.micro import lite_runtime

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


def optimized_agree(content: bytes) -> bool:
    """Whether the optimized kernels give the reference kernels' numbers, all activations included.

    Args:
      content: of a windowed int8 `.tflite` file.
    """
    both = [interpreter(content, reference=kind, keep_all=True) for kind in (False, True)]
    (source,) = both[0].get_input_details()
    tensors = [index for op in both[0]._get_ops_details() for index in op["outputs"]]
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
