"""The StreamingEvaluator with a cascade, and beside the last blessed model."""

import json
from pathlib import Path

import numpy as np
import pytest
from tfx.types import standard_artifacts

from components import blessing as blessings
from components.artifacts import StreamingEvaluation
from components.streaming_evaluator import scoring
from kws.detection.cascade import Stage
from kws.detection.params import (
    CascadeParams,
    DetectorParams,
    OperatingPointParams,
    StreamingParams,
)
from kws.errors import KwsError
from kws.gates import read_gates
from kws.runtime import load as stage
from tests.components.level_streams import (
    LABELS,
    LevelFrontend,
    LevelModel,
    artifacts_in,
    lay,
    params,
    run,
)

SOUNDS = [("yes", "yes", 4_000 * i) for i in range(1, 13)]


@pytest.fixture
def artifacts(tmp_path: Path) -> tuple[dict, dict]:
    return artifacts_in(tmp_path)


class TinyModel:
    """Hears that there is a sound, unless it is a "no"."""

    labels = ("_silence_", "sound")

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        loud = features.max(axis=(1, 2)) == 2000
        return np.stack([~loud, loud], axis=1).astype(np.float32)


class DeafModel(LevelModel):
    """Hears silence always."""

    def __init__(self, labels: list[str] = LABELS) -> None:
        self.labels = labels

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        return np.eye(4, dtype=np.float32)[np.zeros(len(features), int)]


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(folder: str | Path, runtime: str = "tflite"):
        return (DeafModel() if "deaf" in str(folder) else LevelModel()), LevelFrontend()

    def of_folder(folder: Path, detector: DetectorParams, runtime: str = "tflite") -> Stage:
        model, frontend = load(folder)
        return Stage(model=model, frontend=frontend, detector=detector, macs=1_000_000)

    def of_bundle(bundle: str, runtime: str = "tflite") -> Stage:
        detector = DetectorParams(clip_stride_ms=100, average_window_ms=100, minimum_count=1)
        return Stage(model=TinyModel(), frontend=LevelFrontend(), detector=detector, macs=10_000)

    monkeypatch.setattr(scoring, "load", load)
    monkeypatch.setattr(stage, "stage_of_folder", of_folder)
    monkeypatch.setattr(stage, "stage_of_bundle", of_bundle)
    monkeypatch.setattr(
        stage, "stage_identity", lambda _: {"name": "tiny", "version": "17", "sha256": "0" * 64}
    )


def cascaded(**limits: float) -> StreamingParams:
    return params(max_miss_rate=0.6).model_copy(
        update={
            "cascade": CascadeParams(first_stage="bundles/17", threshold=0.5, **limits),
            "operating_point": OperatingPointParams(candidates=5),
        }
    )


def test_a_cascade_is_judged_as_one_system_and_says_what_it_costs(
    artifacts: tuple[dict, dict],
) -> None:
    folder, blessing = run(artifacts, cascaded(max_duty_cycle=0.1, max_macs_per_second=1e6))
    evaluation = json.loads((folder / "evaluation.json").read_text())
    cascade = evaluation["cascade"]
    # Test streams: "yes" and a "no" that sounds like one in a minute of words, and a "no" in a
    # minute of negatives, which the first stage does not let through: no false accept there.
    assert evaluation["test"]["total"]["false_accepts_by_cause"]["background"] == 0
    assert cascade["second_stage_alone_on_test"]["false_accepts_by_cause"]["background"] == 1
    cost = cascade["test"]
    assert cost["wakes"] == 2 and cost["let_through"]["count"] == 2
    # Sounds of 500 ms in windows of 200 ms every 100 ms, then a second: 1.6 s at most, twice.
    assert 2.8 / 120 < cost["duty_cycle"] < 3.4 / 120
    assert cost["duty_cycle_by_kind"]["negatives"] == 0
    # The second stage alone answers 25 times a second, the first ten times.
    assert cost["second_alone_macs_per_second"] == pytest.approx(25e6, rel=0.01)
    assert cost["first_macs_per_second"] == pytest.approx(1e5, rel=0.01)
    expected = 1e5 + 25e6 * cost["duty_cycle"]
    assert cost["macs_per_second"] == pytest.approx(expected, rel=0.02)
    thresholds = [row["threshold"] for row in cascade["thresholds_tried_on_eval"]]
    assert 0.5 in thresholds and thresholds == sorted(thresholds)
    assert cascade["first_stage"]["version"] == "17"
    assert CascadeParams.from_json((folder / "cascade.json").read_text()).threshold == 0.5
    assert cascade["summary"] in (folder / "report.txt").read_text()

    gates = {gate.name: gate for gate in read_gates(blessing.uri)}
    assert gates["streaming.cascade_duty_cycle"].passed
    assert gates["streaming.cascade_macs_per_second"].passed
    assert blessing.get_int_custom_property("blessed") == 1


def test_a_cascade_that_costs_too_much_is_refused(artifacts: tuple[dict, dict]) -> None:
    _, blessing = run(artifacts, cascaded(max_duty_cycle=0.01))
    assert blessing.get_int_custom_property("blessed") == 0
    assert blessing.get_string_custom_property("reasons").startswith(
        "streaming.cascade_duty_cycle = 0.0"
    )


def test_stages_that_do_not_go_together_are_refused_in_one_line(
    artifacts: tuple[dict, dict],
) -> None:
    settings = cascaded()
    assert settings.cascade is not None
    cascade = settings.cascade.model_copy(update={"hold_ms": 40})
    with pytest.raises(KwsError, match="hold_ms=40 is shorter than the 3 rows"):
        run(artifacts, settings.model_copy(update={"cascade": cascade}))


def with_last(
    artifacts: tuple[dict, dict],
    tmp_path: Path,
    name: str = "deaf",
    labels: list[str] = LABELS,
    cascade: CascadeParams | None = None,
) -> tuple[dict, dict]:
    """The inputs beside a last blessed model."""
    inputs, outputs = artifacts
    model, evaluation = standard_artifacts.Model(), StreamingEvaluation()
    model.uri, evaluation.uri = str(tmp_path / name), str(tmp_path / f"{name}_evaluation")
    serving = tmp_path / name / "Format-Serving"
    serving.mkdir(parents=True)
    (serving / "labels.txt").write_text("\n".join(labels) + "\n")
    Path(evaluation.uri).mkdir()
    Path(evaluation.uri, "detector.json").write_text(DetectorParams().to_json())
    if cascade is not None:
        Path(evaluation.uri, "cascade.json").write_text(cascade.to_json())
    return {**inputs, "last_model": [model], "last_evaluation": [evaluation]}, outputs


def _many_words(tmp_path: Path) -> None:
    for split in ("eval", "test"):
        lay(tmp_path / "streams" / f"Split-{split}", "words-0", SOUNDS)


def test_a_model_worse_than_the_last_one_is_refused_and_one_that_is_better_is_not(
    artifacts: tuple[dict, dict],
    tmp_path: Path,
) -> None:
    _many_words(tmp_path)
    folder, blessing = run(with_last(artifacts, tmp_path), params())
    found = json.loads((folder / "evaluation.json").read_text())["against_last"]
    assert found["words"] == 12 and found["keywords"] == ["yes", "no"]
    assert found["misses"] == {"candidate": 0, "last": 12, "both": 0, "chance": 1.0}
    assert found["false_accepts"]["candidate"] == 1  # the sound in the negatives
    assert blessing.get_int_custom_property("blessed") == 1

    # Now the deaf one is the candidate.
    inputs, outputs = with_last(artifacts, tmp_path, name="good")
    deaf = standard_artifacts.Model()
    deaf.uri = str(tmp_path / "deaf")
    settings = params().model_copy(
        update={"operating_point": OperatingPointParams(target_false_accepts_per_hour=None)}
    )
    _, refused = run(({**inputs, "model": [deaf]}, outputs), settings)
    assert refused.get_int_custom_property("blessed") == 0
    assert refused.get_string_custom_property("reasons") == (
        "streaming.misses_against_last = 0.0002441, at least 0.025 required: failed by 0.02476"
    )


def test_against_last_false_leaves_the_last_model_alone(
    artifacts: tuple[dict, dict],
    tmp_path: Path,
) -> None:
    folder, blessing = run(with_last(artifacts, tmp_path), params(against_last=False))
    assert "against_last" not in json.loads((folder / "evaluation.json").read_text())
    names = [gate.name for gate in read_gates(blessing.uri)]
    assert names == ["streaming.evaluated_hours"]


@pytest.mark.parametrize(
    ("labels", "cascade", "why"),
    [
        (["_silence_", "_unknown_", "stop", "go"], None, "it knows none of these keywords"),
        (LABELS, CascadeParams(first_stage="gone/18"), "its first stage is gone: gone"),
    ],
)
def test_a_last_model_that_cannot_be_compared_is_named_with_the_reason(
    artifacts: tuple[dict, dict],
    tmp_path: Path,
    labels: list[str],
    cascade: CascadeParams | None,
    why: str,
) -> None:
    given = with_last(artifacts, tmp_path, labels=labels, cascade=cascade)
    folder, blessing = run(given, params())
    (gate,) = [g for g in read_gates(blessing.uri) if g.name == "streaming.against_last"]
    assert gate.passed and why in gate.detail
    found = json.loads((folder / "evaluation.json").read_text())["against_last"]
    assert why in found["not_compared"]


def test_the_blessing_names_the_model(
    artifacts: tuple[dict, dict],
) -> None:
    artifacts[0]["model"][0].id = 12
    _, blessing = run(artifacts, params(max_miss_rate=0.25))
    assert blessing.get_int_custom_property("current_model_id") == 12
    gates = json.loads(blessing.get_string_custom_property(blessings.GATES))
    assert gates["streaming.miss_rate"] == [0.5, "<=", 0.25, False]
    assert gates["streaming.evaluated_hours"][3] is True
