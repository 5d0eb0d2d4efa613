"""What an int8 file is to both kinds of model: tensors, quantization, and a frontend's numbers."""

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np

from kws import features as frontends
from kws.errors import KwsError
from kws.features import example, files, model_input
from kws.features.files import LABELS_FILE
from kws.features.params import FRONTEND_FILE, FeatureParams
from kws.runtime import kernels

MODEL_FILE = "model.tflite"
FLOAT_IO_FILE = "model_float_io.tflite"

Kind = Literal["windowed", "streaming"]
_Self = TypeVar("_Self", bound="Int8File")


class Int8File(abc.ABC):
    """An int8 model file, loaded. See `tflite_model.Int8Model` and `streaming_model`.

    Attributes:
      kind: "windowed" or "streaming".
      reference_kernels: whether TFLite's plain kernels are needed to give TFLM's numbers (see
        `kws.runtime.kernels`).
      labels: names, in the order of the outputs.
      feature_params: of the frontend that the model was trained with.
      input_shape: of the file's input tensor; its first axis is a batch of 1.
      output_shape: of the file's output tensor, likewise.
      input_scale: q = x / scale + zero_point, x being `to_model_input`'s values.
      input_zero_point: see `input_scale`.
      output_scale: posterior = (q - zero_point) * scale.
      output_zero_point: see `output_scale`.
    """

    kind: ClassVar[Kind]

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
        self.reference_kernels = self._needs_reference_kernels(content)
        self._interpreter = self.interpreter_of(content, num_threads)
        (source,) = self._interpreter.get_input_details()
        (sink,) = self._interpreter.get_output_details()
        self._input_index, self._output_index = source["index"], sink["index"]
        self.input_shape = tuple(int(size) for size in source["shape"])
        self.output_shape = tuple(int(size) for size in sink["shape"])
        for what, details in (("input", source), ("output", sink)):
            self._check(what, details["dtype"], tuple(details["shape"]))
        self.input_scale, self.input_zero_point = _quantization(source)
        self.output_scale, self.output_zero_point = _quantization(sink)

    def interpreter_of(self, content: bytes, num_threads: int = 1) -> Any:
        """An interpreter for this file or its twin, with the kernels that it needs."""
        return kernels.interpreter(content, num_threads, reference=self.reference_kernels)

    @staticmethod
    @abc.abstractmethod
    def _needs_reference_kernels(content: bytes) -> bool:
        """Whether the optimized kernels would give other numbers than the device's."""

    @staticmethod
    @abc.abstractmethod
    def start(interpreter: Any) -> None:
        """Makes an interpreter of this kind forget what it has heard."""

    @property
    @abc.abstractmethod
    def frames_per_inference(self) -> int:
        """Frames that the device gives it at once."""

    @abc.abstractmethod
    def _expected(self, what: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that the input or output must have where the file's is `shape`."""

    @abc.abstractmethod
    def inferences(self, inputs: np.ndarray) -> np.ndarray:
        """What the device is given, one inference after another.

        Args:
          inputs: int8 `[n, frames, channels]` of n clips, as of `quantize`.

        Returns:
          int8 `[n, inferences, frames_per_inference, channels]`.
        """

    @abc.abstractmethod
    def run_inferences(self, inputs: np.ndarray) -> np.ndarray:
        """int8 outputs `[n, inferences, labels]` of `inferences`' inputs; each clip anew."""

    @classmethod
    def load(
        cls: type[_Self],
        path: str | Path,
        labels: Sequence[str],
        feature_params: FeatureParams,
        num_threads: int = 1,
    ) -> _Self:
        """Reads a `.tflite` file; errors as of the constructor."""
        return cls(Path(path).read_bytes(), labels, feature_params, num_threads)

    @classmethod
    def load_folder(cls: type[_Self], folder: str | Path, num_threads: int = 1) -> _Self:
        """Reads a folder with `model.tflite`, `labels.txt` and `frontend.json`.

        `kws.runtime.load.load_folder` finds out which kind of model it holds.

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
          features: of n clips.
          feature_params: what they were computed with, if known: held against the model's.

        Raises:
          KwsError: features of another shape, type or frontend than the model's.
        """
        if feature_params is not None:
            files.check_same(self.feature_params, feature_params, "what the model is fed")
        return self.dequantize(self.run(self.quantize(features)))

    @abc.abstractmethod
    def run(self, inputs: np.ndarray) -> np.ndarray:
        """int8 outputs `[n, labels]` of int8 clips `[n, frames, channels]`."""

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
        return self._quantize(features)

    def _of_stream(self, features: np.ndarray) -> np.ndarray:
        """`[frames, channels]`, found to be of the model's frontend; else raises KwsError."""
        features = np.asarray(features)
        channels = self.feature_params.feature_shape[1]
        if features.ndim != 2 or features.shape[1] != channels or features.dtype != self._dtype:
            raise KwsError(
                f"the stream's features are {features.dtype} {list(features.shape)}, but the model "
                f"is fed {self._dtype} [frames, {channels}]",
                hint="compute them with the frontend.json that lies beside the model",
            )
        return features

    def _quantize(self, features: np.ndarray) -> np.ndarray:
        values = model_input.to_model_input(features, self.feature_params)
        return model_input.quantize(values, self.input_scale, self.input_zero_point)

    def dequantize(self, outputs: np.ndarray) -> np.ndarray:
        """float32 posteriors of int8 outputs."""
        return model_input.dequantize(outputs, self.output_scale, self.output_zero_point)

    def stack(self, raw: Sequence[bytes]) -> np.ndarray:
        """`features` fields of feature examples as one array `[n, frames, channels]`."""
        return example.stack(raw, self.feature_params.feature_shape, self._dtype)

    def _check(self, what: str, dtype: Any, found: tuple[int, ...]) -> None:
        shape = self._expected(what, found)
        if found != shape or dtype != np.int8:
            raise KwsError(
                f"the model's {what} is {dtype.__name__} {list(found)}",
                hint=f"frontend.json and labels.txt beside it ask for int8 {list(shape)}",
            )


def _quantization(details: dict[str, Any]) -> tuple[float, int]:
    scale, zero_point = details["quantization"]
    return float(scale), int(zero_point)
