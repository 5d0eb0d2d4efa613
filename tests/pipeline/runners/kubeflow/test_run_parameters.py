"""Parameters of a run are written to their places in the properties of an execution."""

import json

import pytest

from components.evaluator.eval_config import eval_config
from components.evaluator.params import EvaluationParams
from kws.training.params import TrainingParams
from pipeline.runners.kubeflow.run_parameters import apply

TRAINER = {"custom_config": json.dumps({"training": TrainingParams().to_json(), "model": "{}"})}


def test_epochs_of_a_run_are_what_the_training_section_says():
    changed = apply({**TRAINER, "run_epochs": 3.0})
    assert set(changed) == {"custom_config"}
    training = TrainingParams.from_json(json.loads(changed["custom_config"])["training"])
    assert training == TrainingParams(epochs=3)


def test_without_parameters_nothing_changes():
    assert apply(TRAINER) == TRAINER


@pytest.mark.parametrize("on_bound", [False, True])
def test_the_gate_on_accuracy_is_changed_in_tfma_s_configuration_and_nothing_else(on_bound):
    from google.protobuf import json_format

    def properties(accuracy):
        params = EvaluationParams(min_accuracy=accuracy, on_bound=on_bound)
        text = json_format.MessageToJson(
            eval_config(params, ["yes", "no"]), preserving_proto_field_name=True
        )
        return {"eval_config": text}

    changed = apply({**properties(0.8), "run_min_accuracy": 0.93})
    assert json.loads(changed["eval_config"]) == json.loads(properties(0.93)["eval_config"])


def test_a_span_is_asked_of_tfx_s_driver_and_the_newest_is_its_own_choice():
    assert apply({"input_config": "day-{SPAN}/*", "run_span": -1.0}) == {
        "input_config": "day-{SPAN}/*"
    }
    changed = apply({"input_config": "day-{SPAN}/*", "run_span": 7.0})
    assert json.loads(changed["range_config"]) == {
        "static_range": {"start_span_number": 7, "end_span_number": 7}
    }


def test_a_property_that_only_begins_like_a_parameter_stays():
    assert apply({"run_fn": "module.run_fn"}) == {"run_fn": "module.run_fn"}
