import numpy as np
import pytest

from kws.errors import KwsError
from kws.export import flatbuffer
from kws.export.params import BudgetParams
from kws.gates import verdict
from kws.runtime import tflm
from kws.runtime.validate import MicroFigures, budget_gates
from tests.kws.runtime.conftest import Trial


def test_tflm_gives_exactly_the_outputs_of_tflite(trial: Trial, figures: MicroFigures) -> None:
    assert figures.tflm_mismatch_steps == 0
    assert figures.test_vectors == 8
    inputs = trial.int8.quantize(trial.judged.features[:8])
    assert len(np.unique(trial.int8.run(inputs), axis=0)) > 1  # or agreeing would be easy


def test_the_measured_arena_is_the_smallest_in_which_the_model_runs(
    trial: Trial, figures: MicroFigures
) -> None:
    inputs = trial.int8.quantize(trial.judged.features[:1])
    assert figures.arena_bytes == figures.arena_head_bytes + figures.arena_tail_bytes
    assert figures.arena_recommended_bytes >= 1.1 * figures.arena_bytes
    assert figures.arena_recommended_bytes % 16 == 0
    enough = tflm.run(trial.conversion.model, inputs, arena_bytes=figures.arena_bytes)
    assert enough.arena_bytes == figures.arena_bytes
    with pytest.raises(KwsError, match=f"an arena of {figures.arena_bytes - 64} bytes"):
        tflm.run(trial.conversion.model, inputs, arena_bytes=figures.arena_bytes - 64)


def test_a_crash_of_the_interpreter_is_an_error(trial: Trial) -> None:
    inputs = trial.int8.quantize(trial.judged.features[:1])
    with pytest.raises(KwsError, match="exit status"):
        tflm.run(trial.conversion.model, inputs, arena_bytes=100)


def test_a_budget_that_is_kept_blesses_and_each_that_is_not_names_its_gate(
    figures: MicroFigures,
) -> None:
    def failed(params: BudgetParams) -> list[str]:
        return [gate.name for gate in budget_gates(figures, params) if not gate.passed]

    fits = BudgetParams(
        max_flash_bytes=figures.flash_bytes, max_arena_bytes=figures.arena_recommended_bytes
    )
    assert verdict(budget_gates(figures, fits)) == "blessed"
    assert failed(BudgetParams(max_arena_bytes=figures.arena_bytes)) == ["micro.arena_bytes"]
    assert failed(BudgetParams(max_flash_bytes=1000)) == ["micro.flash_bytes"]
    assert failed(BudgetParams(operators=("CONV_2D", "MEAN"))) == ["micro.operators"]
    strangers = budget_gates(figures, BudgetParams(operators=("CONV_2D", "MEAN")))[0]
    assert strangers.detail == "DEPTHWISE_CONV_2D, FULLY_CONNECTED, RESHAPE, SOFTMAX"
    worse = figures.model_copy(update={"tflm_mismatch_steps": 1})
    assert not budget_gates(worse, BudgetParams())[-1].passed


def test_operators_are_counted_as_tflite_itself_lists_them(trial: Trial) -> None:
    import tensorflow as tf

    found = tf.lite.Interpreter(model_content=trial.conversion.model)._get_ops_details()
    names = [row["op_name"] for row in found]
    assert flatbuffer.count_operators(trial.conversion.model) == {
        name: names.count(name) for name in sorted(set(names))
    }
    with pytest.raises(KwsError, match="no TFLite model"):
        flatbuffer.count_operators(b"something else")
