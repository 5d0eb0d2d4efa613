"""On Kubeflow an input is always there, and a union comes in two parts: executors see neither."""

from tfx.types import standard_artifacts

from components.inputs import joined, without_empty


def model(folder):
    made = standard_artifacts.Model()
    made.uri = str(folder)
    return made


def test_two_inputs_are_one_list():
    given = {"examples": ["a"], "more_examples": ["b"], "other": ["c"]}
    assert joined(given) == {"examples": ["a", "b"], "other": ["c"]}
    assert joined({"examples": ["a"]}) == {"examples": ["a"]}


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
