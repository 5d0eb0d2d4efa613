"""Whether there is a model to start from is asked of ML Metadata, of this pipeline's runs alone."""

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.runs.results import has_model_in_service

BLESSINGS = ("ModelBlessing", "components.StreamingBlessing", "InfraBlessing")


@pytest.mark.parametrize(
    ("blessed", "in_service"),
    [({}, False), (dict.fromkeys(BLESSINGS, 1), True), ({**dict.fromkeys(BLESSINGS, 1),
     "InfraBlessing": 0}, False), ({"ModelBlessing": 1}, False)],
)  # fmt: skip
def test_a_model_is_in_service_once_all_three_judges_blessed_it(blessed, in_service, tmp_path):
    file = tmp_path / "metadata.sqlite"
    assert not has_model_in_service(file, "weekly")
    connection = mlmd.ConnectionConfig()
    connection.sqlite.filename_uri = str(file)
    store = MetadataStore(connection)
    kind = store.put_context_type(mlmd.ContextType(name="pipeline"))
    ours, others = store.put_contexts(
        [mlmd.Context(type_id=kind, name=name) for name in ("weekly", "other")]
    )
    for name, verdict in blessed.items():
        artifact = mlmd.Artifact(type_id=store.put_artifact_type(mlmd.ArtifactType(name=name)))
        artifact.custom_properties["blessed"].int_value = verdict
        artifact.custom_properties["current_model_id"].int_value = 5
        (made,) = store.put_artifacts([artifact])
        at = mlmd.Attribution(artifact_id=made, context_id=ours)
        store.put_attributions_and_associations([at], [])
    assert has_model_in_service(file, "weekly") == in_service
    assert not has_model_in_service(file, "other") and others != ours
