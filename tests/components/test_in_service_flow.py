"""Two runs by TFX's local runner: the second finds the model of the first, and its detector."""

import json
from pathlib import Path

import pytest
import tfx.v1 as tfx
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.types import standard_artifacts

from components.artifacts import AudioStreams
from components.baseline.in_service import in_service_resolver
from components.streaming_evaluator import scoring
from components.streaming_evaluator.component import StreamingEvaluator
from tests.components.level_streams import LABELS, LevelFrontend, LevelModel, artifacts_in, params


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Streams, two models, and an empty store."""
    monkeypatch.setattr(scoring, "load", lambda folder, runtime: (LevelModel(), LevelFrontend()))
    artifacts_in(tmp_path)
    for name in ("model-1", "model-2"):
        serving = tmp_path / name / "Format-Serving"
        serving.mkdir(parents=True)
        (serving / "labels.txt").write_text("\n".join(LABELS) + "\n")
        (serving / "model.tflite").touch()
    return tmp_path


def run(place: Path, name: str, of_other_judges: int | None = None) -> metadata_store.MetadataStore:
    """A candidate through resolver and evaluator, and the blessings of the other two judges."""
    candidate = tfx.dsl.Importer(
        source_uri=str(place / name), artifact_type=standard_artifacts.Model, reimport=True
    ).with_id("Candidate")
    streams = tfx.dsl.Importer(
        source_uri=str(place / "streams"), artifact_type=AudioStreams
    ).with_id("Streams")
    last = in_service_resolver(candidate.outputs["result"])
    judged = StreamingEvaluator(
        model=candidate.outputs["result"],
        streams=streams.outputs["result"],
        params=params(max_miss_rate=0.5),
        last_model=last.outputs["model"],
        last_evaluation=last.outputs["evaluation"],
    )
    nodes = [candidate, streams, last, judged]
    if of_other_judges is not None:
        for kind in (standard_artifacts.ModelBlessing, standard_artifacts.InfraBlessing):
            blessing = tfx.dsl.Importer(
                source_uri=str(place / kind.__name__),
                artifact_type=kind,
                custom_properties={"blessed": 1, "current_model_id": of_other_judges},
            ).with_id(kind.__name__)
            last.add_upstream_node(blessing)
            nodes.append(blessing)
    connection = tfx.orchestration.metadata.sqlite_metadata_connection_config(
        str(place / "metadata.sqlite")
    )
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="flow",
            pipeline_root=str(place / "root"),
            components=nodes,
            metadata_connection_config=connection,
        )
    )
    return metadata_store.MetadataStore(connection)


def newest(store: metadata_store.MetadataStore, kind: str) -> mlmd.Artifact:
    return max(store.get_artifacts_by_type(kind), key=lambda artifact: artifact.id)


def evaluation_of(store: metadata_store.MetadataStore) -> dict:
    uri = newest(store, "components.StreamingEvaluation").uri
    return json.loads(Path(uri, "evaluation.json").read_text())


def test_the_second_run_is_compared_with_the_first_one_s_model_and_says_so_in_the_store(
    place: Path,
) -> None:
    store = run(place, "model-1")
    assert "against_last" not in evaluation_of(store)
    first = newest(store, "Model")
    blessing = newest(store, "components.StreamingBlessing").custom_properties
    assert blessing["blessed"].int_value == 1
    assert blessing["current_model_id"].int_value == first.id

    store = run(place, "model-2", of_other_judges=first.id)
    compared = evaluation_of(store)["against_last"]
    assert Path(compared["model"]).parent == place / "model-1"
    assert compared["misses"] == {"candidate": 0, "last": 0, "both": 1, "chance": 1.0}
    blessing = newest(store, "components.StreamingBlessing").custom_properties
    gates = json.loads(blessing["gates"].string_value)
    assert gates["streaming.misses_against_last"] == [1.0, ">=", 0.025, True]
    assert blessing["current_model_id"].int_value == newest(store, "Model").id > first.id
