"""A blessing says why in ML Metadata itself: written, stored and read back."""

import json
import math
from pathlib import Path

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.types import standard_artifacts

from components.artifacts import StreamingBlessing
from components.blessing import bless, gates_property
from kws.gates import Gate, read_gates

GATES = [
    Gate(name="streaming.miss_rate", value=0.5, limit=0.25, at_most=True, detail="6 of 12 words"),
    Gate(name="streaming.evaluated_hours", value=1 / 3, limit=0.01, at_most=False, unit="h"),
    Gate(name="streaming.latency_p95", value=math.nan, limit=300, at_most=True, unit="ms"),
]


def test_every_gate_and_every_reason_is_read_back_from_the_store(tmp_path: Path) -> None:
    model, blessing = standard_artifacts.Model(), StreamingBlessing()
    model.uri, model.id = "models/12", 12
    blessing.uri = str(tmp_path)
    assert not bless(blessing, GATES, model, by="StreamingEvaluator")

    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "metadata.sqlite")
    config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = metadata_store.MetadataStore(config)
    blessing.type_id = store.put_artifact_type(blessing.artifact_type)
    (stored_id,) = store.put_artifacts([blessing.mlmd_artifact])

    (stored,) = metadata_store.MetadataStore(config).get_artifacts_by_id([stored_id])
    properties = stored.custom_properties
    assert properties["blessed"].int_value == 0
    assert properties["current_model_id"].int_value == 12
    assert properties["reasons"].string_value == (
        "streaming.miss_rate = 0.5, at most 0.25 required: failed by 0.25; "
        "streaming.latency_p95 = nan ms, at most 300 required: failed by nan ms"
    )
    assert json.loads(properties["gates"].string_value) == {
        "streaming.miss_rate": [0.5, "<=", 0.25, False],
        "streaming.evaluated_hours": [0.333333, ">=", 0.01, True],
        "streaming.latency_p95": [None, "<=", 300, False],
    }
    assert [gate.name for gate in read_gates(tmp_path)] == [gate.name for gate in GATES]


def test_a_hundred_gates_stay_within_a_few_kilobytes() -> None:
    gates = [GATES[0].model_copy(update={"name": f"clips.precision/{i:02}"}) for i in range(100)]
    assert len(gates_property(gates)) < 6000
