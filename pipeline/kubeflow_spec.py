"""From what TFX's compiler gives to a specification that Kubeflow Pipelines runs.

TFX 1.16 leaves out what the YAML alone must say: defaults of the parameters and the pipeline root
(both are in the job that it would submit to Vertex AI), and which tasks no cache may answer for.
Its hook that finds the span before an ingestion (`pre_cache_check`) is known to Vertex AI alone, so
it is taken out, and the container's entry point does that work everywhere.
"""

import json
from typing import Any

from pipeline.kubeflow_history import LOOKING_OUTSIDE
from pipeline.kubeflow_new_data import NEW_DATA, only_if_new
from pipeline.resources import KubeflowParams
from pipeline.run_parameters import PARAMETERS, RunParameter

Spec = dict[str, Any]
INPUTS_SPEC_FLAG = "--json_serialized_inputs_spec_args"
UNCACHED = (*LOOKING_OUTSIDE, "AudioExampleGen")
"""An ingestion looks at a folder that grows: without the hook, Kubeflow knows its name alone."""
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
    for name, task in tasks.items():
        container = _container(spec, name)
        container.pop("lifecycle", None)
        if name in UNCACHED:
            task["cachingOptions"] = {}
        asked = params.resources_of(name).spec()
        if asked:
            container["resources"] = asked
        # What the container is told of its inputs includes the new ones.
        position = container["args"].index(INPUTS_SPEC_FLAG) + 1
        inputs = spec["components"][name].get("inputDefinitions", {})
        container["args"][position] = json.dumps(inputs, sort_keys=True)
    return spec


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
