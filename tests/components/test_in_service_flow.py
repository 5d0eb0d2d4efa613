"""Runs by TFX's local runner: the second is compared with the first one's model, and an unchanged
run is answered from the cache although its own model is in service by then."""

import json
from pathlib import Path

import pytest
import tfx.v1 as tfx
from tfx.types import standard_artifacts

from components.artifacts import AudioStreams
from components.registry.component import RegistryLookup
from components.streaming_evaluator import scoring
from components.streaming_evaluator.component import StreamingEvaluator
from kws.features.params import FeatureParams
from pipeline.runs import results
from tests.components.level_streams import LABELS, LevelFrontend, LevelModel, artifacts_in, params
from tests.components.test_registry import Runs


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Streams, two models, and an empty store."""
    monkeypatch.setattr(scoring, "load", lambda folder, runtime: (LevelModel(), LevelFrontend()))
    artifacts_in(tmp_path)
    for name in ("1", "2"):
        serving = tmp_path / f"model-{name}" / "Format-Serving"
        serving.mkdir(parents=True)
        (serving / "labels.txt").write_text("\n".join(LABELS) + "\n")
        (serving / "model.tflite").write_text(name)
        (serving / "frontend.json").write_text(FeatureParams().to_json())
    return tmp_path


def run(place: Path, name: str) -> results.Run:
    """A candidate through lookup and evaluator."""
    candidate = tfx.dsl.Importer(
        source_uri=str(place / f"model-{name}"), artifact_type=standard_artifacts.Model
    ).with_id("Candidate")
    streams = tfx.dsl.Importer(
        source_uri=str(place / "streams"), artifact_type=AudioStreams
    ).with_id("Streams")
    last = RegistryLookup(str(place / "bundles"), candidate=candidate.outputs["result"])
    judged = StreamingEvaluator(
        model=candidate.outputs["result"],
        streams=streams.outputs["result"],
        params=params(max_miss_rate=0.5),
        last_model=last.outputs["model"],
        last_evaluation=last.outputs["evaluation"],
    )
    metadata = place / "metadata.sqlite"
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="flow",
            pipeline_root=str(place / "root"),
            components=[candidate, streams, last, judged],
            enable_cache=True,
            metadata_connection_config=(
                tfx.orchestration.metadata.sqlite_metadata_connection_config(str(metadata))
            ),
        )
    )
    return results.newest_run(metadata)


def evaluation_of(made: results.Run) -> dict:
    folder = made.step("StreamingEvaluator").folder("evaluation")
    return json.loads((folder / "evaluation.json").read_text())


def states(made: results.Run) -> dict[str, str]:
    return {name: made.step(name).state for name in ("RegistryLookup", "StreamingEvaluator")}


CACHED = {"RegistryLookup": "cached", "StreamingEvaluator": "cached"}


def test_the_second_run_is_compared_with_the_first_one_s_model_and_neither_with_itself(
    place: Path,
) -> None:
    first = run(place, "1")
    assert "against_last" not in evaluation_of(first)
    assert first.step("StreamingEvaluator").custom_property("blessing", "blessed") == 1
    assert states(run(place, "1")) == CACHED
    Runs(place).push("1", labels=LABELS)
    again = run(place, "1")
    assert states(again) == CACHED and again.nothing_done

    second = run(place, "2")
    compared = evaluation_of(second)["against_last"]
    assert compared["misses"] == {"candidate": 0, "last": 0, "both": 1, "chance": 1.0}
    assert (Path(compared["model"]) / "model.tflite").read_text() == "1"
    gates = json.loads(str(second.step("StreamingEvaluator").custom_property("blessing", "gates")))
    assert gates["streaming.misses_against_last"] == [1.0, ">=", 0.025, True]
    assert second.step("RegistryLookup").custom_property("model", "version") == "1"

    Runs(place).push("2", labels=LABELS)
    assert states(run(place, "2")) == CACHED
    assert states(run(place, "1")) == CACHED
