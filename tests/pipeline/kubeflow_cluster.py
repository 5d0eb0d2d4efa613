"""Plays the part of a cluster: runs tasks of a compiled pipeline by their own command lines.

For each task it fills in an ExecutorInput as Kubeflow's driver does, from the specification, the
parameters of the run and what earlier tasks reported, puts it into the container's arguments, and
runs the container's command in this environment.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PLACEHOLDER = "{{$}}"


class Cluster:
    """A run of a pipeline.

    Attributes:
      outputs: of each task that has run: key -> artifact as it reported it.
    """

    def __init__(self, spec: dict[str, Any], root: Path, parameters: dict[str, Any] | None = None):
        self._spec = spec
        self._root = root
        given = spec["root"]["inputDefinitions"]["parameters"]
        defaults = {name: parameter["defaultValue"] for name, parameter in given.items()}
        self._parameters = {**defaults, **(parameters or {})}
        self.outputs: dict[str, dict[str, Any]] = {}

    def run_until(self, last: str) -> None:
        """Runs a task and all that it depends on, in that order."""
        task = self._spec["root"]["dag"]["tasks"][last]
        for dependency in task.get("dependentTasks", []):
            self.run_until(dependency)
        if last not in self.outputs:
            self._run(last)

    def uri(self, task: str, key: str) -> Path:
        """Where an output of a task that has run lies."""
        return Path(self.outputs[task][key]["uri"])

    def _run(self, name: str) -> None:
        component = self._spec["components"][name]
        executors = self._spec["deploymentSpec"]["executors"]
        container = executors[component["executorLabel"]]["container"]
        invocation = self._invocation(name, component)
        args = [json.dumps(invocation) if a == PLACEHOLDER else a for a in container["args"]]
        command = [sys.executable, *container["command"][1:], *args]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name} failed:\n{done.stderr[-3000:]}")
        reported = json.loads(Path(invocation["outputs"]["outputFile"]).read_text())
        made = {}
        for key, artifact in invocation["outputs"]["artifacts"].items():
            (of_input,), (of_output,) = (
                artifact["artifacts"], reported["artifacts"][key]["artifacts"],
            )  # fmt: skip
            made[key] = {**of_input, **of_output}
        self.outputs[name] = made

    def _invocation(self, name: str, component: dict[str, Any]) -> dict[str, Any]:
        inputs = self._spec["root"]["dag"]["tasks"][name].get("inputs", {})
        folder = self._root / name
        return {
            "inputs": {
                "parameterValues": {
                    key: self._value(value) for key, value in inputs.get("parameters", {}).items()
                },
                "artifacts": {
                    key: {"artifacts": [self._made(source["taskOutputArtifact"])]}
                    for key, source in inputs.get("artifacts", {}).items()
                },
            },
            "outputs": {
                "artifacts": {
                    key: {
                        "artifacts": [
                            {
                                "name": f"{name}-{key}",
                                "uri": str(folder / key),
                                "type": artifact["artifactType"],
                            }
                        ]
                    }
                    for key, artifact in component.get("outputDefinitions", {})
                    .get("artifacts", {})
                    .items()
                },
                "outputFile": str(folder / "outputs" / "executor_output.json"),
            },
        }

    def _value(self, value: dict[str, Any]) -> Any:
        if "componentInputParameter" in value:
            return self._parameters[value["componentInputParameter"]]
        return value["runtimeValue"]["constant"]

    def _made(self, source: dict[str, str]) -> dict[str, Any]:
        return self.outputs[source["producerTask"]][source["outputArtifactKey"]]
