"""A file run in two parts gives TFLM's numbers, to the last of thousands of windows."""

import numpy as np

from kws.export import flatbuffer
from kws.runtime import kernels
from kws.runtime.tflm import Tflm


def test_thousands_of_windows_come_out_as_on_the_device(trial) -> None:
    model = trial.int8
    assert not model.reference_kernels  # else there is nothing to see here
    rng = np.random.default_rng(0)
    spread = rng.uniform(5, 90, (4000, 1, 1))
    values = rng.normal(0, spread, (4000, *model.input_shape[1:]))
    inputs = np.clip(np.rint(values), -128, 127).astype(np.int8)
    device = Tflm(trial.conversion.model)
    np.testing.assert_array_equal(model.run(inputs), device.run(inputs).reshape(4000, -1))


def test_the_parts_hold_all_operators_between_them(trial) -> None:
    parts = kernels.split_tail(trial.conversion.model)
    assert parts is not None
    before, after = ([use.name for use in flatbuffer.uses(part)] for part in parts)
    assert before + after == [use.name for use in flatbuffer.uses(trial.conversion.model)]
    assert "FULLY_CONNECTED" not in before
    assert set(after) <= {"RESHAPE", "FULLY_CONNECTED", "SOFTMAX"}


def test_last_layers_alone_are_left_to_the_plain_kernels(trial) -> None:
    parts = kernels.split_tail(trial.conversion.model)
    assert parts is not None
    _, after = parts
    assert kernels.split_tail(after) is None
    assert not kernels.optimized_agree(after)
