"""TFLite's interpreter without TensorFlow around it: the same module, and so the same numbers."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kws.runtime import kernels
from tests.kws.runtime.conftest import Trial

ALONE = """
import sys
import numpy as np
from kws.runtime import kernels
folder = sys.argv[1]
content, inputs = open(folder + "/model.tflite", "rb").read(), np.load(folder + "/inputs.npy")
rows = []
for reference in (False, True):
    one = kernels.interpreter(content, reference=reference)
    (source,), (sink,) = one.get_input_details(), one.get_output_details()
    for values in inputs:
        one.set_tensor(source["index"], values[None])
        one.invoke()
        rows.append(one.get_tensor(sink["index"])[0])
print(source["dtype"].__name__, list(source["shape"]), sink["quantization"])
assert "tensorflow" not in sys.modules
np.save(folder + "/outputs.npy", rows)
import tensorflow as tf  # whoever wants it afterwards still gets it
assert type(kernels.interpreter(content, reference=True)) is tf.lite.Interpreter
"""


def test_a_process_without_tensorflow_gets_the_numbers_of_one_with_it(
    trial: Trial, tmp_path: Path
) -> None:
    content, inputs = trial.conversion.model, trial.int8.quantize(trial.judged.features[:5])
    (tmp_path / "model.tflite").write_bytes(content)
    np.save(tmp_path / "inputs.npy", inputs)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "int8 [1, 49, 40] (0.00390625, -128)\n"
    expected = trial.int8.run(inputs)
    assert "tensorflow" in sys.modules
    np.testing.assert_array_equal(np.load(tmp_path / "outputs.npy"), [*expected, *expected])


def test_bytes_that_are_no_model_are_refused_without_tensorflow_too() -> None:
    code = "from kws.runtime import kernels; kernels.interpreter(b'no model', reference=True)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "KwsError: TFLite cannot load the model" in done.stderr
    with pytest.raises(Exception, match="TFLite cannot load the model"):
        kernels.interpreter(b"no model", reference=True)
