"""The two files of a conversion, int8 and float input and output: are they the same network?"""

import numpy as np

from kws.features import model_input
from kws.micro.device_form import model_inputs
from kws.micro.int8_file import Int8File


def compare_twins(model: Int8File, float_io: bytes, features: np.ndarray) -> tuple[int, float]:
    """The largest difference in output steps on the same int8 input, and the share of input values
    that the twin's QUANTIZE rounds otherwise on a phone than `model_input.quantize` does.

    TFLite's optimized QUANTIZE multiplies by the scale's float32 reciprocal and rounds half to
    even, its reference kernel rounds as we do. The int8 model is fed what the twin's QUANTIZE gives
    with the kernels of the model's own kind, so that the comparison is of the networks.

    Args:
      model: the int8 file.
      float_io: the other file.
      features: of clips, `[n, frames, channels]`.
    """
    twin = _Twin(model, float_io)
    largest, rounded_otherwise = 0, 0
    for batch in model_inputs(features, model.feature_params):
        exact = model_input.quantize(batch, model.input_scale, model.input_zero_point)
        on_phone = quantize_as_tflite(batch, model.input_scale, model.input_zero_point)
        inputs = exact if model.reference_kernels else on_phone
        outputs = model.run_inferences(model.inferences(inputs))
        for values, expected in zip(model.inferences(batch), outputs, strict=True):
            difference = np.abs(twin.run(values) - model.dequantize(expected))
            largest = max(largest, int(np.rint(difference.max() / model.output_scale)))
        rounded_otherwise += int(np.count_nonzero(exact != on_phone))
    return largest, rounded_otherwise / features.size


def quantize_as_tflite(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """int8 as the optimized QUANTIZE of TensorFlow 2.16 on x86 gives it, bit for bit."""
    steps = np.rint(values.astype(np.float32) * (np.float32(1) / np.float32(scale)))
    return np.clip(steps + zero_point, -128, 127).astype(np.int8)


class _Twin:
    """The float-I/O file, one clip after another."""

    def __init__(self, model: Int8File, content: bytes):
        self._interpreter = model.interpreter_of(content)
        (source,) = self._interpreter.get_input_details()
        (sink,) = self._interpreter.get_output_details()
        self._source, self._sink = source["index"], sink["index"]
        self._start = model.start

    def run(self, inferences: np.ndarray) -> np.ndarray:
        """float32 `[inferences, labels]` of `[inferences, frames, channels]`, from the start."""
        self._start(self._interpreter)
        outputs = []
        for values in inferences:
            self._interpreter.set_tensor(self._source, values[None])
            self._interpreter.invoke()
            outputs.append(self._interpreter.get_tensor(self._sink).reshape(-1))
        return np.stack(outputs)
