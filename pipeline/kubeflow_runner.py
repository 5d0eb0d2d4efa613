"""Compiles a configuration into a YAML that Kubeflow Pipelines runs.

TFX's KubeflowV2DagRunner does the compiling; `pipeline.kubeflow_history` keeps away what it does
not take, `pipeline.kubeflow_spec` adds what it leaves out.
"""

import dataclasses
from pathlib import Path
from typing import Any

import tfx.v1 as tfx
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)

from components import beam_args
from kws import credentials, storage
from kws.errors import KwsError
from kws.micro.destinations import is_url
from pipeline import beam_options, kubeflow_spec
from pipeline.config import Config
from pipeline.kubeflow_history import FolderHistory
from pipeline.kubeflow_new_data import retraining
from pipeline.paths import Paths
from pipeline.pipeline import Recordings, components
from pipeline.resources import KubeflowParams, platform_of

COMMAND = ["python", "-m", "pipeline.kubeflow_entrypoint"]
IN_CONTAINER = Path("/tmp/kws")
"""Checkpoints and reports of a container, which go with it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """Where the pipeline will run.

    Attributes:
      image: of the containers, with this product in it.
      root: URL of the pipeline root.
      data: the recordings, as the containers see them; a run may say otherwise.
      destination: of the bundles; "": the configuration's, or `bundles` below the root.
      retrain: nothing but the first task runs where nothing is new: docs/retraining.md.
    """

    image: str
    root: str
    data: str
    destination: str = ""
    retrain: bool = False


def compile_spec(config: Config, target: Target) -> dict[str, Any]:
    """The PipelineSpec as a dictionary.

    Raises:
      KwsError: the configuration has what does not run there, or the target is wrong.
    """
    _check(config, target)
    name = config.name.replace("_", "-")
    root = target.root.rstrip("/")
    destination = target.destination or config.destination or f"{root}/{config.name}/bundles"
    history = FolderHistory(config, root, destination)
    recordings = Recordings(
        folder=target.data,
        span_folder=config.data.span_folder,
        last_spans=config.data.last_spans,
    )
    paths = Paths(out=IN_CONTAINER, name=config.name)
    nodes = components(config, paths, recordings, history, destination)
    if target.retrain:
        nodes = retraining(nodes, config, recordings, history.retraining)
    pipeline = tfx.dsl.Pipeline(
        pipeline_name=name,
        pipeline_root=root,
        components=beam_options.given(
            nodes, config.beam_pipeline_args, config.beam_pipeline_args_of
        ),
        enable_cache=True,
        beam_pipeline_args=[*beam_args.complete(config.beam_pipeline_args)],
    )
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(
            default_image=target.image, default_commands=COMMAND, use_pipeline_spec_2_1=True
        )
    )
    compiled = runner.run(pipeline, write_out=False)["pipelineSpec"]
    spec = kubeflow_spec.finish(compiled, root, config.kubeflow)
    parse(spec)
    credentials.check(spec, "the compiled pipeline")
    return spec


def write(spec: dict[str, Any], file: Path, params: KubeflowParams | None = None) -> None:
    """Writes the YAML that `kfp` and the web page of Kubeflow Pipelines upload.

    Args:
      spec: as `compile_spec` gives it.
      file: a .yaml file.
      params: of the configuration; secrets and volumes are a second document of the file.
    """
    if file.suffix not in (".yaml", ".yml"):
        raise KwsError(f"--out {file}: a pipeline is a .yaml file")
    documents = [spec]
    platform = platform_of(params or KubeflowParams(), sorted(spec["deploymentSpec"]["executors"]))
    if platform is not None:
        json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
        documents.append(platform)
    storage.atomic_write(file, yaml.safe_dump_all(documents, sort_keys=True))


def parse(spec: dict[str, Any]) -> pipeline_spec_pb2.PipelineSpec:
    """The proto; json_format.ParseError where a field is unknown or of another type."""
    parsed = json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
    deployment = json_format.MessageToDict(parsed.deployment_spec)
    json_format.ParseDict(deployment, pipeline_spec_pb2.PipelineDeploymentConfig())
    return parsed


def _is_minio(url: str) -> bool:
    return url.startswith("minio://")


def _check(config: Config, target: Target) -> None:
    for field in dataclasses.fields(target):
        option = {"root": "pipeline-root"}.get(field.name, field.name)
        credentials.check(getattr(target, field.name), f"--{option}")
    if not is_url(target.root):
        raise KwsError(
            f"--pipeline-root {target.root} is a folder of this machine",
            hint="containers share a bucket: gs://..., s3://... or minio://...",
        )
    minio = [url for url in (target.root, target.data, target.destination) if _is_minio(url)]
    if minio and not (config.kubeflow.store and config.kubeflow.store.endpoint):
        raise KwsError(
            f"{minio[0]}: containers have to know which server this is",
            hint="--set kubeflow.store.endpoint=http://minio-service.kubeflow:9000, from Kubeflow "
            "Pipelines 2.16 on http://seaweedfs.kubeflow:9000",
        )
    if config.base is not None:
        raise KwsError(
            f"base.place={config.base.place} is a run of this machine: it cannot be compiled for "
            "Kubeflow",
            hint="kws run, or kws personalize",
        )
    if config.data.sources or config.data.corpora:
        named = "data.sources" if config.data.sources else "data.corpora"
        raise KwsError(
            f"{named} cannot be compiled for Kubeflow: a mix is gathered on the machine that "
            "runs it",
            hint="lay the recordings out in one folder, <word>/<file>, and give it by --data",
        )
