"""TFLite's interpreter, without importing TensorFlow around it.

Importing TensorFlow takes some three seconds, the interpreter itself a tenth of one: it is one
extension module of TensorFlow's, which needs nothing else of it. A process that has TensorFlow
already, or whose TensorFlow is not built like that, gets `tf.lite.Interpreter`; the numbers are the
same, for it is the same module.
"""

import functools
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

_PACKAGE = "tensorflow.lite.python.interpreter_wrapper"
_NAME = "_pywrap_tensorflow_interpreter_wrapper"
_REFERENCE, _OPTIMIZED = 2, 3
"""TFLite's numbers of its plain kernels, and of the optimized ones without delegates (XNNPACK)."""


def interpreter(content: bytes, num_threads: int, *, reference: bool, keep_all: bool) -> Any:
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
