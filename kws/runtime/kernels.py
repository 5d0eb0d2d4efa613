"""Chooses TFLite kernels that give TensorFlow Lite Micro's numbers for a given file.

TFLite's plain ("reference") kernels are those of TFLM: they agree bit for bit on every model of
the zoo (for MUL see `kws.export.rewrites`). Its optimized kernels are several times as fast but
round negative ties differently, and their SOFTMAX is off by a step in one of about 100,000
values. A windowed file is therefore rewritten in two ways before it runs on the optimized
kernels, and whether the result agrees is tested on the file itself and on this machine whenever
it is loaded. Both rewrites are for this machine only; tensors keep their numbers and values.

**Signs are split.** Convolutions and fully connected layers end in a division by a power of two.
TFLM and TFLite's plain kernels round ties away from zero; the optimized ones (ruy's matrix
multiplication, SIMD in depthwise convolutions) round them upwards. Positive values are equal; of
negative values, one in several hundred or thousand differs by a step. A layer whose int8 output
begins at zero (zero point -128, as after a ReLU) never has a negative value. Other layers are
computed twice, with the weights and with their negatives, each for the positive part of the
result, and subtracted: `x = max(x, 0) - max(-x, 0)`. int8 weights lie between -127 and 127, so
this is exact.

**The tail is split off.** TFLite's optimized SOFTMAX uses a float table of exponentials: too
rarely wrong for a trial to show, often enough to change a posterior within an hour of sound. The
last layers are small, so they run on the plain kernels.

The interpreter is loaded without importing TensorFlow around it, which would take about three
seconds instead of a tenth of one. It is a single extension module of TensorFlow. A process that
has already loaded TensorFlow, or whose TensorFlow is built differently, gets
`tf.lite.Interpreter`; the numbers are the same, because it is the same module.
"""

import copy
import functools
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

from kws.errors import KwsError
from kws.export import flatbuffer

_PACKAGE = "tensorflow.lite.python.interpreter_wrapper"
_NAME = "_pywrap_tensorflow_interpreter_wrapper"
_REFERENCE, _OPTIMIZED = 2, 3
"""TFLite's numbers of its plain kernels, and of the optimized ones without delegates (XNNPACK)."""


def lite_interpreter(content: bytes, num_threads: int, *, reference: bool, keep_all: bool) -> Any:
    """A tf.lite.Interpreter, or what has as much of it as we use. Tensors are not allocated.

    Args:
      content: of a `.tflite` file.
      num_threads: of the optimized kernels.
      reference: the plain kernels in place of the optimized ones.
      keep_all: all activations can be read after a run.

    Raises:
      ValueError, RuntimeError: as of tf.lite.Interpreter.
    """
    module = None if "tensorflow" in sys.modules else _module()
    if module is not None:
        return _Interpreter(module, content, num_threads, reference, keep_all)
    import tensorflow as tf

    kinds = tf.lite.experimental.OpResolverType
    return tf.lite.Interpreter(
        model_content=content,
        num_threads=num_threads,
        experimental_op_resolver_type=(
            kinds.BUILTIN_REF if reference else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
        experimental_preserve_all_tensors=keep_all,
    )


class _Interpreter:
    """The part of tf.lite.Interpreter that kws uses, by the same names."""

    def __init__(
        self, module: Any, content: bytes, num_threads: int, reference: bool, keep_all: bool
    ):
        self._content = content  # not copied by the module
        resolver = _REFERENCE if reference else _OPTIMIZED
        self._interpreter = module.CreateWrapperFromBuffer(
            content, resolver, [], [], keep_all, False
        )
        self._interpreter.SetNumThreads(num_threads)

    def allocate_tensors(self) -> None:
        self._interpreter.AllocateTensors()

    def invoke(self) -> None:
        self._interpreter.Invoke()

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        self._interpreter.SetTensor(index, value)

    def get_tensor(self, index: int) -> np.ndarray:
        return self._interpreter.GetTensor(index, 0)

    def tensor(self, index: int) -> Any:
        return lambda: self._interpreter.tensor(self._interpreter, index)

    def get_input_details(self) -> list[dict[str, Any]]:
        return [self._details(index) for index in self._interpreter.InputIndices()]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [self._details(index) for index in self._interpreter.OutputIndices()]

    def _get_ops_details(self) -> list[dict[str, Any]]:
        return [
            {"index": index, "outputs": self._interpreter.NodeOutputs(index)}
            for index in range(self._interpreter.NumNodes())
        ]

    def _details(self, index: int) -> dict[str, Any]:
        index = int(index)
        return {
            "index": index,
            "name": self._interpreter.TensorName(index, 0),
            "shape": self._interpreter.TensorSize(index, 0),
            "dtype": self._interpreter.TensorType(index, 0),
            "quantization": self._interpreter.TensorQuantization(index, 0),
        }


@functools.cache
def _module() -> Any | None:
    """TensorFlow's extension module, under the name by which TensorFlow itself will find it later.

    None where there is no such file, or it does not load by itself.
    """
    found = importlib.util.find_spec("tensorflow")
    for root in [] if found is None else list(found.submodule_search_locations or []):
        folder = Path(root, *_PACKAGE.split(".")[1:])
        files = [folder / f"{_NAME}{suffix}" for suffix in importlib.machinery.EXTENSION_SUFFIXES]
        file = next((file for file in files if file.is_file()), None)
        if file is None:
            continue
        name = f"{_PACKAGE}.{_NAME}"
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            return None
        try:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        except ImportError:
            return None
        if not hasattr(module, "CreateWrapperFromBuffer"):
            return None
        sys.modules[name] = module
        return module
    return None


_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_LOWEST = -128
_INT8 = 9


def split_signs(content: bytes) -> bytes:
    """The bytes of a `.tflite` file of the same network, or the same bytes: nothing is to be split.

    A layer stays as it is that has a fused activation (it shows no negative values) or whose
    weights are no int8 constants or hold -128.
    """
    model = flatbuffer.read_model(content)
    graph = model.subgraphs[0]
    written: list[Any] = []
    for operator in graph.operators:
        written += _halves(model, operator) if _is_signed(model, operator) else [operator]
    if len(written) == len(graph.operators):
        return content
    graph.operators = written
    return flatbuffer.pack(model, 2 * len(content))


def _is_signed(model: Any, operator: Any) -> bool:
    if flatbuffer.name(model, operator) not in _LAYERS:
        return False
    tensors = model.subgraphs[0].tensors
    made, weights = tensors[operator.outputs[0]], tensors[operator.inputs[1]]
    if made.type != _INT8 or operator.builtinOptions.fusedActivationFunction != 0:
        return False
    values = flatbuffer.constant(model, weights, np.int8)
    return values is not None and values.min() > _LOWEST and flatbuffer.zero_point(made) > _LOWEST


def _halves(model: Any, operator: Any) -> list[Any]:
    """The layer for what is positive, the layer for what is negative, and their difference."""
    tensors = model.subgraphs[0].tensors
    positive, negative = copy.copy(operator), copy.copy(operator)
    negative.inputs = operator.inputs.copy()
    for place, dtype in ((1, np.int8), (2, np.int32)):
        if place < len(operator.inputs) and operator.inputs[place] >= 0:
            tensor = tensors[operator.inputs[place]]
            values = flatbuffer.constant(model, tensor, dtype)
            assert values is not None  # of constant weights biases are, too
            negative.inputs[place] = _add(tensors, _like(model, tensor, -values))
    made = tensors[operator.outputs[0]]
    for half in (positive, negative):
        from_zero = copy.copy(made)
        from_zero.quantization = copy.copy(made.quantization)
        from_zero.quantization.zeroPoint = np.array([_LOWEST], np.int64)
        half.outputs = np.array([_add(tensors, from_zero)], np.int32)
    difference = _subtraction(model)
    difference.inputs = np.concatenate([positive.outputs, negative.outputs])
    difference.outputs = operator.outputs
    return [positive, negative, difference]


def _like(model: Any, tensor: Any, values: np.ndarray) -> Any:
    """A constant tensor as another is, with other values."""
    buffer = copy.copy(model.buffers[tensor.buffer])
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    made = copy.copy(tensor)
    made.buffer = len(model.buffers) - 1
    return made


def _add(tensors: list[Any], tensor: Any) -> int:
    tensors.append(tensor)
    return len(tensors) - 1


def _subtraction(model: Any) -> Any:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.SUB
    code.version = 2  # the first with int8
    model.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.builtinOptionsType = schema.BuiltinOptions.SubOptions
    operator.builtinOptions = schema.SubOptionsT()
    return operator


_LAST = {"FULLY_CONNECTED", "SOFTMAX", "LOGISTIC", "RESHAPE", "QUANTIZE", "DEQUANTIZE"}


class TwoPartInterpreter:
    """Two interpreters, used as the one of the whole file is."""

    def __init__(self, first: Any, second: Any):
        self._first, self._second = first, second
        self._handed = int(second.get_input_details()[0]["index"])

    def allocate_tensors(self) -> None:
        self._first.allocate_tensors()
        self._second.allocate_tensors()

    def get_input_details(self) -> list[dict[str, Any]]:
        return self._first.get_input_details()

    def get_output_details(self) -> list[dict[str, Any]]:
        return self._second.get_output_details()

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        self._first.set_tensor(index, value)

    def invoke(self) -> None:
        self._first.invoke()
        self._second.set_tensor(self._handed, self._first.get_tensor(self._handed))
        self._second.invoke()

    def get_tensor(self, index: int) -> np.ndarray:
        """An output of the file."""
        return self._second.get_tensor(index)


def split_tail(content: bytes) -> tuple[bytes, bytes] | None:
    """The file before its last layers, and these.

    None where it cannot be cut so: it ends otherwise, consists of such layers alone, has more than
    one graph, or more than one tensor would have to be handed over.
    """
    model = flatbuffer.read_model(content)
    if len(model.subgraphs) != 1:
        return None
    names = [flatbuffer.name(model, operator) for operator in model.subgraphs[0].operators]
    first = len(names)
    while first and names[first - 1] in _LAST:
        first -= 1
    if not 0 < first < len(names):
        return None
    graph = model.subgraphs[0]
    before, after = graph.operators[:first], graph.operators[first:]
    made = {int(tensor) for operator in before for tensor in operator.outputs}
    handed = [int(tensor) for operator in after for tensor in operator.inputs if tensor in made]
    if len(set(handed)) != 1:
        return None
    parts = (
        flatbuffer.part(model, before, list(graph.inputs), handed[:1]),
        flatbuffer.part(model, after, handed[:1], list(graph.outputs)),
    )
    return flatbuffer.pack(parts[0], len(content)), flatbuffer.pack(parts[1], len(content))


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
        made = lite_interpreter(content, num_threads, reference=reference, keep_all=keep_all)
        made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise KwsError(f"TFLite cannot load the model: {error}") from error
    return made


def fast_and_exact(content: bytes, num_threads: int = 1) -> Any:
    """An interpreter of a windowed file: optimized kernels up to its last layers, plain ones there.

    Only for files of which `optimized_agree`, or of the same network.
    """
    parts = split_tail(content)
    if parts is None:
        raise ValueError("the file cannot be cut before its last layers")
    return TwoPartInterpreter(
        interpreter(split_signs(parts[0]), num_threads, reference=False),
        interpreter(parts[1], num_threads, reference=True),
    )


def optimized_agree(content: bytes) -> bool:
    """Whether the optimized kernels of `fast_and_exact` give the plain kernels' numbers before the
    last layers, all activations included.

    Args:
      content: of a windowed int8 `.tflite` file; one that `two_part` cannot cut does not agree.
    """
    parts = split_tail(content)
    if parts is None:
        return False
    plain = interpreter(parts[0], reference=True, keep_all=True)
    both = (interpreter(split_signs(parts[0]), reference=False, keep_all=True), plain)
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
