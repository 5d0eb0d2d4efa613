"""The component on streams of a few seconds, with a model that hears by level."""

import json
from pathlib import Path

import numpy as np
import pytest
from tfx import types

from components.artifacts import StreamingBlessing, StreamingEvaluation
from components.streaming_evaluator import scoring
from components.streaming_evaluator.component import StreamingEvaluator
from kws.detection.params import DetectorParams, OperatingPointParams, StreamingParams
from kws.errors import KwsError
from kws.gates import read_gates
from tests.components.level_streams import LevelFrontend, LevelModel, artifacts_in, params, run


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "load", lambda folder, runtime: (LevelModel(), LevelFrontend()))


@pytest.fixture
def artifacts(tmp_path: Path) -> tuple[dict, dict]:
    return artifacts_in(tmp_path)


def test_a_model_that_fails_a_gate_is_judged_in_full_and_not_blessed(
    artifacts: tuple[dict, dict],
) -> None:
    folder, blessing = run(artifacts, params(max_miss_rate=0.25, max_wrong_word_rate=0.6))

    evaluation = json.loads((folder / "evaluation.json").read_text())
    total = evaluation["test"]["total"]
    assert (total["words"], total["hits"], total["wrong_words"]) == (2, 1, 1)
    assert total["false_accepts_by_cause"]["background"] == 1
    assert evaluation["test"]["hours"] == pytest.approx({"words": 1 / 60, "negatives": 1 / 60})
    assert evaluation["eval"]["total"]["misses"] == 0
    assert evaluation["operating_point"]["reached"] is True

    detector = DetectorParams.from_json((folder / "detector.json").read_text())
    assert detector.model_dump() == evaluation["operating_point"]["detector"]
    events = [json.loads(line) for line in (folder / "detections.jsonl").read_text().splitlines()]
    assert [(e["stream"], e["kind"]) for e in events] == [
        ("negatives-0", "false_accept"),
        ("words-0", "hit"),
        ("words-0", "wrong_word"),
    ]
    assert len(json.loads((folder / "det.json").read_text())) == 9
    assert (folder / "det.png").read_bytes().startswith(b"\x89PNG")
    stored = np.load(folder / "posteriors" / "Split-test" / "words-0.npz")
    assert stored["posteriors"].shape == (len(stored["times_ms"]), 4)

    assert blessing.get_int_custom_property("blessed") == 0
    assert blessing.get_string_custom_property("reasons") == (
        "streaming.miss_rate = 0.5, at most 0.25 required: failed by 0.25"
    )
    assert [gate.passed for gate in read_gates(blessing.uri)] == [True, False, True]


def test_a_model_that_passes_is_blessed(artifacts: tuple[dict, dict]) -> None:
    _, blessing = run(artifacts, params(max_miss_rate=0.5, max_false_accepts_per_hour=100))
    assert blessing.get_int_custom_property("blessed") == 1
    assert blessing.get_string_custom_property("reasons") == ""


def test_sensitivities_have_their_errors_on_both_splits_and_the_default_is_gated(
    artifacts: tuple[dict, dict],
) -> None:
    settings = params(max_miss_rate=0.5)
    named = OperatingPointParams(candidates=9, default_sensitivity="medium")
    folder, _ = run(artifacts, settings.model_copy(update={"operating_point": named}))
    evaluation = json.loads((folder / "evaluation.json").read_text())
    sensitivities = evaluation["sensitivities"]
    assert sensitivities["default"] == "medium"
    assert list(sensitivities["points"]) == ["low", "medium", "high"]
    medium = sensitivities["points"]["medium"]
    total = evaluation["test"]["total"]
    assert medium["measured"]["test"]["miss_rate"] == total["miss_rate"]
    assert medium["measured"]["test"]["false_accepts_per_hour"] == total["false_accepts_per_hour"]
    assert medium["measured"]["eval"]["miss_rate"]["count"] == 0
    detector = DetectorParams.from_json((folder / "detector.json").read_text())
    assert detector.detection_threshold == medium["detection_threshold"]
    assert "peaks of different height outside keywords say nothing" in medium["grounds"]
    assert "medium (default)" in (folder / "report.txt").read_text()


def test_a_split_without_streams_is_refused_by_name(
    artifacts: tuple[dict, dict], tmp_path: Path
) -> None:
    for path in (tmp_path / "streams" / "Split-test").iterdir():
        path.unlink()
    with pytest.raises(KwsError, match="Split-test holds no stream"):
        run(artifacts, params())


def test_the_component_carries_its_params_and_names_its_channels(
    artifacts: tuple[dict, dict],
) -> None:
    inputs, _ = artifacts
    component = StreamingEvaluator(
        model=_channel(inputs["model"]), streams=_channel(inputs["streams"]), params=params()
    )
    assert StreamingParams.from_json(component.exec_properties["params"]) == params()
    assert component.outputs["evaluation"].type is StreamingEvaluation
    assert component.outputs["blessing"].type is StreamingBlessing


def _channel(artifacts: list[types.Artifact]) -> types.Channel:
    return types.Channel(type=type(artifacts[0])).set_artifacts(artifacts)
