"""Int8Model: the int8 file that ships, run in Python with the numbers that the device gets.

XNNPACK, which TFLite uses unless told otherwise, rounds otherwise than TensorFlow Lite Micro: on a
DS-CNN outputs differed by up to 2 of 255 steps. TFLite's own kernels agree with TFLM's exactly and
need 0.6 ms where XNNPACK needs 0.13 (24,000-parameter DS-CNN, one core), so those are used.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kws import features as frontends
from kws.errors import KwsError
from kws.features import example, files, model_input
from kws.features.files import LABELS_FILE
from kws.features.params import FRONTEND_FILE, FeatureParams

MODEL_FILE = "model.tflite"
FLOAT_IO_FILE = "model_float_io.tflite"


def device_interpreter(content: bytes, num_threads: int = 1) -> Any:
    """An allocated tf.lite.Interpreter whose int8 kernels give exactly what TFLM's do.

    Raises:
      KwsError: the bytes are no TFLite model.
    """
    import tensorflow as tf

    resolver = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        interpreter = tf.lite.Interpreter(
            model_content=content,
            num_threads=num_threads,
            experimental_op_resolver_type=resolver,
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise KwsError(f"TFLite cannot load the model: {error}") from error
    return interpreter


class Int8Model:
    """A windowed int8 model with int8 input `[1, frames, channels]` and output `[1, labels]`.

    Windows go through one at a time: the file's batch is 1, as on the device, and the interpreter's
    overhead is some hundredths of a millisecond.

    Attributes:
      labels: names, in the order of the outputs.
      feature_params: of the frontend that the model was trained with.
      input_scale, input_zero_point: q = x / scale + zero_point, x being `to_model_input`'s values.
      output_scale, output_zero_point: posterior = (q - zero_point) * scale.
    """

    def __init__(
        self,
        content: bytes,
        labels: Sequence[str],
        feature_params: FeatureParams,
        num_threads: int = 1,
    ):
        """Loads the model from the bytes of its file.

        Raises:
          KwsError: it is no int8 model, or of another shape than the labels and the frontend.
        """
        self.labels = list(labels)
        self.feature_params = feature_params
        self._dtype = np.dtype(frontends.frontend_class(feature_params.frontend).dtype)
        self._interpreter = device_interpreter(content, num_threads)
        (source,) = self._interpreter.get_input_details()
        (sink,) = self._interpreter.get_output_details()
        for what, details, shape in (
            ("input", source, (1, *feature_params.feature_shape)),
            ("output", sink, (1, len(self.labels))),
        ):
            if tuple(details["shape"]) != shape or details["dtype"] != np.int8:
                raise KwsError(
                    f"the model's {what} is {details['dtype'].__name__} {list(details['shape'])}",
                    hint=f"frontend.json and labels.txt beside it ask for int8 {list(shape)}",
                )
        self._input_index, self._output_index = source["index"], sink["index"]
        self.input_scale, self.input_zero_point = _quantization(source)
        self.output_scale, self.output_zero_point = _quantization(sink)

    @classmethod
    def load(
        cls,
        path: str | Path,
        labels: Sequence[str],
        feature_params: FeatureParams,
        num_threads: int = 1,
    ) -> "Int8Model":
        """Reads a `.tflite` file; errors as of the constructor."""
        return cls(Path(path).read_bytes(), labels, feature_params, num_threads)

    @classmethod
    def load_folder(cls, folder: str | Path, num_threads: int = 1) -> "Int8Model":
        """Reads a folder with `model.tflite`, `labels.txt` and `frontend.json`: MicroConverter's
        Format-Serving or a bundle.

        Raises:
          KwsError: a file is missing, or they do not fit each other.
        """
        folder = Path(folder)
        for name in (MODEL_FILE, LABELS_FILE, FRONTEND_FILE):
            if not (folder / name).is_file():
                raise KwsError(f"{folder} holds no int8 model: {name} is missing")
        labels, feature_params = files.read_labels(folder), files.read(folder)
        return cls.load(folder / MODEL_FILE, labels, feature_params, num_threads)

    def posteriors(
        self, features: np.ndarray, feature_params: FeatureParams | None = None
    ) -> np.ndarray:
        """float32 `[n, labels]` of `[n, frames, channels]` in the frontend's own type.

        Args:
          features: of n windows.
          feature_params: what they were computed with, if known: held against the model's.

        Raises:
          KwsError: features of another shape, type or frontend than the model's.
        """
        if feature_params is not None:
            files.check_same(self.feature_params, feature_params, "what the model is fed")
        return self.dequantize(self.run(self.quantize(features)))

    def quantize(self, features: np.ndarray) -> np.ndarray:
        """int8 `[n, frames, channels]`: what the device puts into the input tensor."""
        features = np.asarray(features)
        shape = self.feature_params.feature_shape
        if features.ndim != 3 or features.shape[1:] != shape or features.dtype != self._dtype:
            raise KwsError(
                f"features are {features.dtype} {list(features.shape)}, but the model is fed "
                f"{self._dtype} [n, {shape[0]}, {shape[1]}]",
                hint="compute them with the frontend.json that lies beside the model",
            )
        values = model_input.to_model_input(features, self.feature_params)
        return model_input.quantize(values, self.input_scale, self.input_zero_point)

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """int8 outputs `[n, labels]` of int8 inputs `[n, frames, channels]`."""
        outputs = np.zeros((len(inputs), len(self.labels)), np.int8)
        for index in range(len(inputs)):
            self._interpreter.set_tensor(self._input_index, inputs[index : index + 1])
            self._interpreter.invoke()
            outputs[index] = self._interpreter.get_tensor(self._output_index)[0]
        return outputs

    def dequantize(self, outputs: np.ndarray) -> np.ndarray:
        """float32 posteriors of int8 outputs."""
        return model_input.dequantize(outputs, self.output_scale, self.output_zero_point)

    def stack(self, raw: Sequence[bytes]) -> np.ndarray:
        """`features` fields of feature examples as one array `[n, frames, channels]`."""
        return example.stack(raw, self.feature_params.feature_shape, self._dtype)


def _quantization(details: dict[str, Any]) -> tuple[float, int]:
    scale, zero_point = details["quantization"]
    return float(scale), int(zero_point)
