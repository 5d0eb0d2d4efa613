"""On Kubeflow an input is always there, a union is several: executors see neither."""

from tfx.types import standard_artifacts

from components.inputs import MORE_EXAMPLES, joined, without_empty
from kws.training.mining import MiningParams


def model(folder):
    made = standard_artifacts.Model()
    made.uri = str(folder)
    return made


def test_several_inputs_are_one_list():
    given = {
        "examples": ["a"], "more_examples_2": ["c"], "more_examples": ["b"], "other": ["d"],
    }  # fmt: skip
    assert joined(given) == {"examples": ["a", "b", "c"], "other": ["d"]}
    assert joined({"examples": ["a"]}) == {"examples": ["a"]}


def test_there_are_inputs_for_every_round_of_mining():
    (limit,) = [
        rule.le for rule in MiningParams.model_fields["rounds"].metadata if hasattr(rule, "le")
    ]
    assert len(MORE_EXAMPLES) == limit


def test_an_artifact_without_files_is_none(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    full = model(tmp_path / "full")
    given = {"last": [model(tmp_path / "empty")], "base": [full], "gone": [model(tmp_path / "x")]}
    assert without_empty(given, "last", "base", "gone", "not_given") == {
        "last": [],
        "base": [full],
        "gone": [],
    }
