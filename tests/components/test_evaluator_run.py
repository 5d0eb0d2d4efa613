"""TFMA itself on a small int8 model beside a baseline: limits, bounds, changes, reasons."""

import dataclasses
import json
from pathlib import Path

import pytest
from tfx import types
from tfx.types import artifact_utils, standard_artifacts

from components.evaluator import executor, results
from components.evaluator.component import evaluator
from components.evaluator.params import ClassGateParams, EvaluationParams
from kws.detection.rates import share
from kws.features import example, files
from kws.gates import Gate, read_gates
from tests.components.test_micro_components import _artifact, _records
from tests.kws.runtime.conftest import Trial, trial  # noqa: F401

KEYWORDS = ["yes", "no"]


@pytest.fixture(scope="module")
def inputs(
    trial: Trial,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, types.Artifact]:
    """A converted model, and clips that it knows, every fifth of them labelled wrong."""
    root = tmp_path_factory.mktemp("judged")
    model = _artifact(standard_artifacts.Model, root / "model")
    serving = root / "model" / "Format-Serving"
    serving.mkdir()
    (serving / "model.tflite").write_bytes(trial.conversion.model)
    (serving / "conversion.json").write_text(trial.conversion.figures.to_json())
    files.write(serving, trial.int8.feature_params)
    files.write_labels(serving, trial.int8.labels)
    examples = _artifact(standard_artifacts.Examples, root / "examples")
    examples.split_names = artifact_utils.encode_split_names(["test"])
    clips = []
    for number, clip in enumerate(trial.examples):
        said = (clip.label_index + (number % 5 == 0)) % 4
        labelled = {"label_index": said, "label": trial.int8.labels[said]}
        clips.append(example.encode(dataclasses.replace(clip, **labelled)))
    _records(root / "examples" / "Split-test", clips)
    return {"model": model, "examples": examples}


def judged(
    inputs: dict[str, types.Artifact],
    folder: Path,
    params: EvaluationParams,
) -> tuple[types.Artifact, dict[str, Gate]]:
    """The blessing and the gates by name; the model is its own baseline."""
    channels = {
        key: types.Channel(type=type(inputs[key])).set_artifacts([inputs[key]])
        for key in ("model", "examples")
    }
    component = evaluator(**channels, baseline_model=channels["model"], params=params,
                          keywords=KEYWORDS)  # fmt: skip
    evaluation = _artifact(standard_artifacts.ModelEvaluation, folder / "evaluation")
    blessing = _artifact(standard_artifacts.ModelBlessing, folder / "blessing")
    executor.Executor().Do(
        {key: [inputs[key]] for key in ("model", "examples")}
        | {"baseline_model": [inputs["model"]]},
        {"evaluation": [evaluation], "blessing": [blessing]},
        component.exec_properties,
    )
    matrix = results.confusion_matrix(evaluation.uri, 4)
    assert matrix.sum() > 40
    return blessing, {gate.name: gate for gate in read_gates(blessing.uri)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluator")


def test_limits_bounds_and_changes_are_judged_and_every_gate_is_on_the_blessing(
    inputs: dict[str, types.Artifact],
    folder: Path,
) -> None:
    limits = ClassGateParams(
        min_recall=0.5,
        max_false_positive_rate=0.9,
        max_recall_drop_from_last=0.1,
        max_false_positive_rate_rise_from_last=0.1,
    )
    # 39 of 50 are right: 78 %, and at least 68.6 % with 95 % confidence.
    params = EvaluationParams(min_accuracy=0.7, per_class={"yes": limits}, on_bound=True)
    blessing, gates = judged(inputs, folder, params)
    matrix = results.confusion_matrix(str(folder / "evaluation"), 4)
    yes = 2
    recall = share(int(matrix[yes, yes]), int(matrix[yes].sum()))
    others = matrix.sum() - matrix[yes].sum()
    false_positives = share(int(matrix[:, yes].sum() - matrix[yes, yes]), int(others))
    accuracy = share(int(matrix.trace()), int(matrix.sum()))
    assert gates["clips.recall_bound/yes"].value == pytest.approx(recall.low)
    assert gates["clips.false_positive_rate_bound/yes"].value == pytest.approx(false_positives.high)
    assert gates["clips.accuracy_bound"].value == pytest.approx(accuracy.low)
    assert accuracy.low < 0.7 < accuracy.estimate
    assert (
        gates["clips.recall_bound/yes"].detail == f"lower 95 % bound on {matrix.sum()} test clips"
    )
    # A model is as good as itself.
    for name in ("accuracy_diff", "recall/yes_diff", "false_positive_rate/yes_diff"):
        assert gates[f"clips.{name}"].value == 0 and gates[f"clips.{name}"].passed
    assert gates["clips.false_positive_rate/yes_diff"].at_most
    assert set(gates) == {
        "clips.accuracy_diff", "clips.accuracy_bound", "clips.recall_bound/yes",
        "clips.recall/yes_diff", "clips.false_positive_rate_bound/yes",
        "clips.false_positive_rate/yes_diff",
    }  # fmt: skip

    # TFMA itself refuses for the bound alone.
    assert [name for name, gate in gates.items() if not gate.passed] == ["clips.accuracy_bound"]
    assert blessing.get_int_custom_property("blessed") == 0
    stored = json.loads(blessing.get_string_custom_property("gates"))
    assert set(stored) == set(gates)
    failed = [gate.sentence() for gate in gates.values() if not gate.passed]
    assert blessing.get_string_custom_property("reasons") == "; ".join(failed)


def test_a_model_that_fails_a_class_s_bound_is_refused_by_tfma_for_that_reason(
    inputs: dict[str, types.Artifact],
    folder: Path,
) -> None:
    # So few clips can never show a recall of 99.9 %, however many are right.
    params = EvaluationParams(
        min_accuracy=0, every_class=ClassGateParams(min_recall=0.999), on_bound=True
    )
    blessing, gates = judged(inputs, folder / "refused", params)
    assert blessing.get_int_custom_property("blessed") == 0
    assert "clips.recall_bound/yes = " in blessing.get_string_custom_property("reasons")
    assert not gates["clips.recall_bound/yes"].passed


def test_what_was_won_and_lost_against_the_base_is_read_from_both_evaluations(
    inputs: dict[str, types.Artifact], folder: Path
) -> None:
    params = EvaluationParams(min_accuracy=0, max_accuracy_drop_from_last=0)
    _, gates = judged(inputs, folder / "own", params)
    assert gates["clips.accuracy_diff"].passed and gates["clips.accuracy_diff"].limit == 0
    evaluation = folder / "own" / "evaluation"
    named = [gate.name for gate in results.evaluation_gates(evaluation, results.OWN_CLIPS)]
    assert named == ["own_clips.accuracy", "own_clips.accuracy_diff"]
    matrix = results.confusion_matrix(evaluation, 4)
    right = share(int(matrix.trace()), int(matrix.sum())).to_dict()
    taken = [
        (matrix[:, word].sum() - matrix[word, word]) / (matrix.sum() - matrix[word].sum())
        for word in (2, 3)
    ]
    found = results.before_and_after(evaluation, evaluation)
    # The model is its own baseline; these clips have no noisy copies.
    for when in ("before", "after"):
        assert found["original"][when]["right"] == found["held_out"][when]["right"] == right
        assert found["original"][when]["false_positives"] == pytest.approx(max(taken))
    assert "in_noise" not in found
