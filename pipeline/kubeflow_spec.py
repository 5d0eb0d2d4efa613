"""From what TFX's compiler gives to a specification that Kubeflow Pipelines runs.

TFX 1.16 leaves out what the YAML alone must say: defaults of the parameters and the pipeline root
(both are in the job that it would submit to Vertex AI), and which tasks no cache may answer for.
Its hook that finds the span before an ingestion (`pre_cache_check`) is known to Vertex AI alone, so
it is taken out, and the container's entry point does that work everywhere. It prints JSON for
people; servers up to 2.5 pass that on in one environment variable, so it is written compactly.
"""

import json
from typing import Any

from pipeline.kubeflow_history import LOOKING_OUTSIDE
from pipeline.kubeflow_new_data import NEW_DATA, only_if_new
from pipeline.resources import KubeflowParams, environment_of
from pipeline.run_parameters import PARAMETERS, RunParameter

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
