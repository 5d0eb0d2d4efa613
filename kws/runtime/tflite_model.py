"""Int8Model: a windowed int8 file that ships, run in Python with the numbers that the device gets.

XNNPACK, which TFLite uses unless told otherwise, rounds otherwise than TensorFlow Lite Micro: on a
DS-CNN outputs differed by up to 2 of 255 steps. TFLite's own optimized kernels need 0.6 ms where
XNNPACK needs 0.13 (24,000-parameter DS-CNN, one core) and are used where they give TFLM's
numbers: see `kws.runtime.kernels`.
"""

from typing import Any

import numpy as np

from kws.runtime import kernels
from kws.runtime.int8_file import FLOAT_IO_FILE, MODEL_FILE, Int8File

__all__ = ["FLOAT_IO_FILE", "MODEL_FILE", "Int8Model"]

_FRAMES = 8192
"""Quantized at a time: on the way they are 64 bits wide."""


class Int8Model(Int8File):
    """A windowed int8 model with int8 input `[1, frames, channels]` and output `[1, labels]`.

    Windows go through one at a time: the file's batch is 1, as on the device, and the interpreter's
    overhead is some hundredths of a millisecond. Attributes: see `Int8File`.
    """

    kind = "windowed"

    @staticmethod
    def _needs_reference_kernels(content: bytes) -> bool:
        return not kernels.optimized_agree(content)

    def interpreter_of(self, content: bytes, num_threads: int = 1) -> Any:
        if self.reference_kernels:
            return super().interpreter_of(content, num_threads)
        return kernels.fast_and_exact(content, num_threads)

    @staticmethod
    def start(interpreter: object) -> None:
        """A windowed model has nothing to forget."""

    @property
    def frames_per_inference(self) -> int:
        """Frames of a window."""
        return self.input_shape[1]

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """int8 outputs `[n, labels]` of int8 inputs `[n, frames, channels]`."""
        outputs = np.zeros((len(inputs), len(self.labels)), np.int8)
        for index in range(len(inputs)):
            self._interpreter.set_tensor(self._input_index, inputs[index : index + 1])
            self._interpreter.invoke()
            outputs[index] = self._interpreter.get_tensor(self._output_index)[0]
        return outputs

    def prepare(self, features: np.ndarray) -> np.ndarray:
        """int8 `[frames, channels]` of a stream's features, for `prepared_posteriors`.

        Raises:
          KwsError: features of another type or with other channels than the model's.
        """
        features = self._of_stream(features)
        prepared = np.zeros(features.shape, np.int8)
        for start in range(0, len(features), _FRAMES):
            part = slice(start, start + _FRAMES)
            prepared[part] = self._quantize(features[part])
        return prepared

    def prepared_posteriors(self, prepared: np.ndarray) -> np.ndarray:
        """float32 `[n, labels]` of int8 windows `[n, frames, channels]`."""
        return self.dequantize(self.run(prepared))

    def inferences(self, inputs: np.ndarray) -> np.ndarray:
        """int8 `[n, 1, frames, channels]`: a clip is one inference."""
        return inputs[:, None]

    def run_inferences(self, inputs: np.ndarray) -> np.ndarray:
        """int8 `[n, 1, labels]` of `inferences`' inputs."""
        return self.run(inputs[:, 0])[:, None]

    def _expected(self, what: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        if what == "input":
            return (1, *self.feature_params.feature_shape)
        return (1, len(self.labels))
