"""A training on Kubeflow starts from the model that is named, or from scratch."""

import pytest
from tfx.types import standard_artifacts

from components.base_model.executor import Executor
from kws.errors import KwsError


def copied(tmp_path, uri):
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / "out")
    Executor().Do({}, {"model": [model]}, {"uri": uri})
    return sorted(
        str(file.relative_to(tmp_path / "out"))
        for file in (tmp_path / "out").rglob("*")
        if file.is_file()
    )


def test_without_a_name_the_model_is_empty(tmp_path):
    assert copied(tmp_path, "") == []


def test_the_serving_model_is_copied(tmp_path):
    source = tmp_path / "model" / "Format-Serving"
    (source / "variables").mkdir(parents=True)
    (source / "saved_model.pb").touch()
    (source / "variables" / "index").touch()
    assert copied(tmp_path, str(tmp_path / "model")) == [
        "Format-Serving/saved_model.pb",
        "Format-Serving/variables/index",
    ]


def test_a_place_without_a_model_is_an_error_that_names_it(tmp_path):
    with pytest.raises(KwsError, match="holds no Format-Serving"):
        copied(tmp_path, str(tmp_path / "nowhere"))
