"""On Kubeflow the model to compare with is the one that the bundle destination serves."""

import json

import pytest
from tfx.types import standard_artifacts

from components.artifacts import StreamingEvaluation
from components.served_model.executor import VERSION, Executor
from components.streaming_evaluator.last import last_of
from kws.bundle.destination import LATEST
from kws.detection.params import DetectorParams

DETECTOR = DetectorParams(detection_threshold=0.77)


@pytest.fixture
def served(tmp_path):
    def looked_up():
        """The inputs of a StreamingEvaluator that follows."""
        model, evaluation = standard_artifacts.Model(), StreamingEvaluation()
        model.uri, evaluation.uri = str(tmp_path / "model"), str(tmp_path / "evaluation")
        Executor().Do(
            {},
            {"model": [model], "evaluation": [evaluation]},
            {"destination": str(tmp_path / "bundles")},
        )
        return {"last_model": [model], "last_evaluation": [evaluation]}

    return looked_up


def bundle(folder, labels):
    folder.mkdir(parents=True)
    for name in ("model.tflite", "model_float_io.tflite", "frontend.json"):
        (folder / name).write_text(folder.name)
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    judged = {"test": {"total": {"miss_rate": {"estimate": 0.25}}}}
    (folder / "evaluation.json").write_text(json.dumps({"streaming": judged}))
    (folder / "manifest.json").write_text(json.dumps({"detector": DETECTOR.model_dump()}))


def test_before_the_first_push_there_is_none(served):
    found = served()
    assert found["last_model"][0].get_string_custom_property(VERSION) == ""
    assert last_of(found) is None


def test_what_latest_names_is_what_a_candidate_is_compared_with(served, tmp_path):
    bundle(tmp_path / "bundles" / "17", ["_silence_", "_unknown_", "yes"])
    bundle(tmp_path / "bundles" / "18", ["_silence_", "_unknown_", "no"])
    (tmp_path / "bundles" / LATEST).write_text("17\n")
    found = served()
    assert found["last_model"][0].get_string_custom_property(VERSION) == "17"
    last = last_of(found)
    assert last.labels == ["_silence_", "_unknown_", "yes"]
    assert last.detector == DETECTOR and last.cascade is None
    assert last.miss_rate == 0.25
    assert (tmp_path / "model" / "Format-Serving" / "model.tflite").read_text() == "17"
