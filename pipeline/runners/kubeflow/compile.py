"""Compiles a configuration into a YAML file for Kubeflow Pipelines.

TFX's KubeflowV2DagRunner does the compiling. `tasks` has what only a cluster needs, and this module
adds what TFX 1.16 leaves out of the YAML: defaults of the parameters and the pipeline root
(both are only in the job that it would submit to Vertex AI), and which tasks must not be cached.
Its hook that finds the span before an ingestion (`pre_cache_check`) exists on Vertex AI alone, so
it is removed; the container's entry point does that work everywhere. TFX prints JSON for people;
servers up to 2.5 pass it on in one environment variable, so it is written compactly.
"""

import dataclasses
import json
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
from kws.bundle.destinations import is_url
from kws.errors import KwsError
from pipeline import beam_options
from pipeline.config import Config
from pipeline.paths import Paths
from pipeline.pipeline import Recordings, components
from pipeline.runners.kubeflow.resources import KubeflowParams, environment_of, platform_of
from pipeline.runners.kubeflow.run_parameters import PARAMETERS, RunParameter
from pipeline.runners.kubeflow.tasks import (
    LOOKING_OUTSIDE,
    NEW_DATA,
    ContainerHistory,
    new_data,
    only_if_new,
)

Spec = dict[str, Any]
INPUTS_SPEC_FLAG = "--json_serialized_inputs_spec_args"
UNCACHED = (*LOOKING_OUTSIDE, "AudioExampleGen")
"""An ingestion looks at a folder that grows: without the hook, Kubeflow knows its name alone."""
MAX_TEMPLATE_BYTES = 128 << 10
"""Of ARGO_TEMPLATE, an environment variable of every pod up to Kubeflow Pipelines 2.5: Linux takes
no longer one. Later versions bring an Argo that keeps larger ones in a ConfigMap."""
_TEMPLATE_OVERHEAD_BYTES = 12 << 10
"""Of the rest of a template: volumes, launcher, and the URLs that a run fills in."""
_TYPES = {str: "STRING", int: "NUMBER_INTEGER", float: "NUMBER_DOUBLE"}


def finish(spec: Spec, root: str, params: KubeflowParams) -> Spec:
    """Completes a specification in place, and returns it.

    Args:
      spec: PipelineSpec as a dictionary (`pipelineSpec` of what KubeflowV2DagRunner gives).
      root: URL of the pipeline root.
      params: what the containers ask for.
    """
    spec["defaultPipelineRoot"] = root
    tasks = spec["root"]["dag"]["tasks"]
    for parameter in PARAMETERS:
        _bind(spec, parameter)
    if NEW_DATA in tasks:
        only_if_new(spec)
    uncached = _uncached(tasks)
    environment = environment_of(params)
    for name, task in tasks.items():
        container = _container(spec, name)
        container.pop("lifecycle", None)
        if environment:
            container["env"] = [{"name": key, "value": environment[key]} for key in environment]
        if name in uncached:
            task["cachingOptions"] = {}
        for given in task.get("inputs", {}).get("parameters", {}).values():
            if "runtimeValue" in given:
                given["runtimeValue"]["constant"] = _compact(given["runtimeValue"]["constant"])
        asked = params.resources_of(name).spec()
        if asked:
            container["resources"] = asked
        # What the container is told of its inputs includes the new ones.
        position = container["args"].index(INPUTS_SPEC_FLAG) + 1
        inputs = spec["components"][name].get("inputDefinitions", {})
        container["args"][position] = json.dumps(inputs, sort_keys=True)
    return spec


def template_bytes(spec: Spec) -> dict[str, int]:
    """About how long Argo's template of each task is; see MAX_TEMPLATE_BYTES.

    The pod's patch is a parameter of the template, and is filled in at its place: the same text is
    there twice, with the quotes of what is JSON within JSON within JSON.
    """
    found = {}
    for name, task in spec["root"]["dag"]["tasks"].items():
        component = json.dumps(spec["components"][name])
        given = json.dumps({"inputs": {"parameterValues": _properties(task)}})
        command = ["--executor_input", given, "--component_spec", component]
        patch = {"containers": [{"command": command, "args": _container(spec, name)["args"]}]}
        executor = 2 * [json.dumps(patch)]
        driver = 2 * [component, json.dumps(task), json.dumps(_container(spec, name))]
        longest = max(len(json.dumps(executor)), len(json.dumps(driver)))
        found[name] = longest + _TEMPLATE_OVERHEAD_BYTES
    return found


def _uncached(tasks: dict[str, Spec]) -> set[str]:
    """UNCACHED, and what waits for one of them: its inputs are new ones in every run.

    Artifacts have ids of their own, which are in a task's cache key, whatever their content.
    """
    found = {name for name in UNCACHED if name in tasks}
    while True:
        more = {
            name
            for name, task in tasks.items()
            if name not in found and found & set(task.get("dependentTasks", []))
        }
        if not more:
            return found
        found |= more


def _compact(constant: Any) -> Any:
    """JSON that was printed for people, without its spaces; any other value as it is."""
    if not isinstance(constant, str) or "\n" not in constant:
        return constant
    try:
        return json.dumps(json.loads(constant), separators=(",", ":"))
    except ValueError:
        return constant


def _bind(spec: Spec, parameter: RunParameter) -> None:
    """Gives a parameter to the pipeline, its default the compiled value, and to the tasks."""
    tasks = spec["root"]["dag"]["tasks"]
    names = [name for name in parameter.tasks if name in tasks]
    for name in names[:1] if parameter.first_only else names:
        default = parameter.place.get(_properties(tasks[name]))
        if default is None:
            continue
        described = {
            "parameterType": _TYPES[parameter.kind],
            "defaultValue": parameter.kind(default),
            "description": parameter.help,
            "isOptional": True,
        }
        given = spec["root"].setdefault("inputDefinitions", {}).setdefault("parameters", {})
        given[parameter.name] = described
        inputs = spec["components"][name].setdefault("inputDefinitions", {})
        inputs.setdefault("parameters", {})[parameter.input_name] = {
            "parameterType": _TYPES[parameter.kind]
        }
        bound = tasks[name].setdefault("inputs", {}).setdefault("parameters", {})
        bound[parameter.input_name] = {"componentInputParameter": parameter.name}


def _properties(task: Spec) -> dict[str, Any]:
    """The compiled execution properties of a task."""
    return {
        name: value["runtimeValue"]["constant"]
        for name, value in task.get("inputs", {}).get("parameters", {}).items()
        if "runtimeValue" in value
    }


def _container(spec: Spec, name: str) -> Spec:
    label = spec["components"][name]["executorLabel"]
    return spec["deploymentSpec"]["executors"][label]["container"]


COMMAND = ["python", "-m", "pipeline.runners.kubeflow.entrypoint"]
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
    recordings = Recordings(
        folder=target.data,
        span_folder=config.data.span_folder,
        last_spans=config.data.last_spans,
    )
    paths = Paths(out=IN_CONTAINER, name=config.name)
    first = [new_data(config, recordings, destination)] if target.retrain else []
    fingerprint = first[0].outputs["fingerprint"] if first else None
    history = ContainerHistory(config, paths, destination, fingerprint)
    nodes = [*first, *components(config, paths, recordings, history)]
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
    spec = finish(compiled, root, config.kubeflow)
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
