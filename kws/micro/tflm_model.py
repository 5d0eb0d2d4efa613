"""The int8 models, run by TensorFlow Lite Micro's own interpreter in place of TFLite's.

They answer as `Int8Model` and `Int8StreamingModel` do and take the same features, so that whoever
scores streams can score them through the device form. A window of a 24,000-parameter DS-CNN takes
TFLM's plain kernels some sixteen times as long as TFLite's optimized ones.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kws.features.params import FeatureParams
from kws.micro.int8_file import Int8File
from kws.micro.streaming_model import Int8StreamingModel
from kws.micro.tflite_model import Int8Model
from kws.micro.tflm import Tflm


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
