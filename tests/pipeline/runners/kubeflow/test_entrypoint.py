"""A container runs its executor on local copies, and reports the URLs."""

import json

import pytest
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import filesystem_registry
from tfx.utils import io_utils

from pipeline.config import load
from pipeline.runners.kubeflow import entrypoint
from pipeline.runners.kubeflow.compile import Target, compile_spec

MODEL = {"instanceSchema": "title: tfx.Model\ntype: object\n"}
TARGET = Target(image="image", root="gs://bucket/root", data="gs://bucket/words")


def test_artifacts_are_read_where_the_launcher_has_put_them():
    invocation, urls = entrypoint.prepare(
        {
            "inputs": {"artifacts": {"model": {"artifacts": [{"uri": "gs://bucket/a"}]}}},
            "outputs": {
                "artifacts": {"out": {"artifacts": [{"uri": "minio://bucket/b", "type": MODEL}]}}
            },
        },
        {},
    )
    (model,) = invocation["inputs"]["artifacts"]["model"]["artifacts"]
    (out,) = invocation["outputs"]["artifacts"]["out"]["artifacts"]
    assert (model["uri"], out["uri"]) == ("/gcs/bucket/a", "/minio/bucket/b")
    assert urls == {"/gcs/bucket/a": "gs://bucket/a", "/minio/bucket/b": "minio://bucket/b"}


@pytest.mark.parametrize(
    "said",
    [
        {"instanceSchema": ""},  # with ML Metadata
        {"schemaTitle": MODEL["instanceSchema"]},  # without
        {"schemaTitle": "system.Model"},
        {},
    ],
)
def test_an_input_s_type_is_that_of_the_component_whatever_the_server_says(said):
    inputs = {"artifacts": {"model": {"artifacts": [{"uri": "gs://bucket/a", "type": said}]}}}
    spec = {"artifacts": {"model": {"artifactType": MODEL}}}
    invocation, _ = entrypoint.prepare({"inputs": inputs}, spec)
    assert invocation["inputs"]["artifacts"]["model"]["artifacts"][0]["type"] == MODEL


def test_two_inputs_of_one_name_are_told_apart():
    def given(number):
        uri, name = f"gs://bucket/{number}", "model"
        return {"artifacts": [{"uri": uri, "name": name, "artifactId": f"artifact-{number}"}]}

    spec = {"artifacts": {key: {"artifactType": MODEL} for key in ("model", "baseline_model")}}
    inputs = {"artifacts": {"model": given(1), "baseline_model": given(2)}}
    invocation, _ = entrypoint.prepare({"inputs": inputs}, spec)
    found = invocation["inputs"]["artifacts"]
    assert found["model"]["artifacts"][0]["name"] == "artifact-1"
    assert found["baseline_model"]["artifacts"][0]["name"] == "artifact-2"


def test_the_launcher_s_own_log_is_no_output_of_the_component():
    made = {
        "model": {"artifacts": [{"uri": "gs://b/m", "type": MODEL}]},
        "executor-logs": {
            "artifacts": [
                {"uri": "gs://b/executor-logs", "type": {"schemaTitle": "system.Artifact"}}
            ]
        },
    }
    invocation, urls = entrypoint.prepare({"outputs": {"artifacts": made}}, {})
    assert list(invocation["outputs"]["artifacts"]) == ["model"]
    assert list(urls) == ["/gcs/b/m"]


class MakesNothing(base_executor.BaseExecutor):
    """As MicroPusher, where a model was refused."""

    def Do(self, input_dict, output_dict, exec_properties):
        output_dict["model"][0].set_int_custom_property("pushed", 0)


def test_every_declared_output_is_there_in_the_end(tmp_path):
    made = {"artifacts": [{"uri": str(tmp_path / "model"), "type": MODEL}]}
    outputs = {"artifacts": {"model": made}, "outputFile": str(tmp_path / "report.json")}
    entrypoint.main(
        ["--executor_class_path", f"{__name__}.MakesNothing",
         "--json_serialized_invocation_args", json.dumps({"outputs": outputs})]
    )  # fmt: skip
    assert list((tmp_path / "model").iterdir()) == []
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["artifacts"]["model"]["artifacts"][0]["metadata"]["pushed"] == 0


def test_beam_workers_on_other_machines_are_given_the_urls():
    dataflow = ["--runner=DataflowRunner", "--sdk_container_image=image"]
    beam = "components.spectrogram_transform.executor.Executor"
    other = "components.scene_evaluator.executor.Executor"
    assert entrypoint._works_elsewhere(beam, dataflow)
    assert not entrypoint._works_elsewhere(other, dataflow)
    assert not entrypoint._works_elsewhere(beam, ["--direct_num_workers=2"])

    artifact = {"uri": "/gcs/bucket/a"}
    prepared = {"inputs": {"artifacts": {"model": {"artifacts": [artifact]}}}}
    given = entrypoint.as_urls(prepared, {"/gcs/bucket/a": "gs://bucket/a"})
    assert given["inputs"]["artifacts"]["model"]["artifacts"] == [{"uri": "gs://bucket/a"}]


@pytest.mark.parametrize("scheme", ["", "bucket:/"])  # on Vertex AI the report has a URL
def test_what_is_reported_has_the_urls_again(tmp_path, scheme):
    class Bucket(filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.get_filesystem_for_path("gs://b")):
        SUPPORTED_SCHEMES = ("bucket://",)

        @staticmethod
        def open(name, mode="r"):
            return open(name.removeprefix("bucket:/"), mode)

    filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(Bucket, priority=1)
    output = tmp_path / "output.json"
    reported = {"uri": "/gcs/b/x", "metadata": {"current_model": "/gcs/b/m", "blessed": 1}}
    output.write_text(json.dumps({"artifacts": {"out": {"artifacts": [reported]}}}))
    urls = {"/gcs/b/x": "gs://b/x", "/gcs/b/m": "gs://b/m"}
    entrypoint.restore(f"{scheme}{output}", urls)
    (artifact,) = json.loads(output.read_text())["artifacts"]["out"]["artifacts"]
    assert artifact["uri"] == "gs://b/x"
    assert artifact["metadata"] == {"current_model": "gs://b/m", "blessed": 1}


def test_a_compiled_task_runs_by_its_own_arguments(tmp_path):
    spec = compile_spec(load("quickstart", [f"data.path={TARGET.data}"]), TARGET)
    task = spec["root"]["dag"]["tasks"]["AudioSchemaGen"]
    definition = spec["components"]["AudioSchemaGen"]
    kind = definition["outputDefinitions"]["artifacts"]["schema"]["artifactType"]
    invocation = {
        "inputs": {
            "parameterValues": {
                name: value["runtimeValue"]["constant"]
                for name, value in task["inputs"]["parameters"].items()
            }
        },
        "outputs": {
            "artifacts": {
                "schema": {
                    "artifacts": [{"name": "s", "uri": str(tmp_path / "schema"), "type": kind}]
                }
            },
            "outputFile": str(tmp_path / "outputs" / "output.json"),
        },
    }
    label = definition["executorLabel"]
    args = spec["deploymentSpec"]["executors"][label]["container"]["args"]
    entrypoint.main([json.dumps(invocation) if arg == "{{$}}" else arg for arg in args])

    schema = io_utils.parse_pbtxt_file(
        str(tmp_path / "schema" / "schema.pbtxt"), schema_pb2.Schema()
    )
    assert {"label", "duration_ms"} <= {feature.name for feature in schema.feature}
    reported = json.loads((tmp_path / "outputs" / "output.json").read_text())
    assert reported["artifacts"]["schema"]["artifacts"][0]["uri"] == str(tmp_path / "schema")
