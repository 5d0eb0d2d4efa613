"""Plays the part of a cluster: runs tasks of a compiled pipeline by their own command lines.

What Kubeflow Pipelines' driver and launcher do around a container (`backend/src/v2` of
kubeflow/pipelines) is done here likewise, as far as an executor can tell:

- The driver fills in an ExecutorInput: parameters of the run, constants, and the artifacts of
  earlier tasks, whose names are numbers and whose types come without their schema.
- The launcher makes a container's local copies: here a folder that is wiped before every task, and
  into which nothing but the task's inputs is copied. Only the folder above an output is there.
  An input is one artifact, a list of several is downloaded no further than the first.
- It runs the very command of the container, reads the executor's output, adds its properties to the
  artifacts, and uploads them. Empty folders do not survive that, and numbers become floats.
- A task whose condition (on a parameter, as the open-source server evaluates it) does not hold is
  not triggered, and neither is what waits for it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

PLACEHOLDER = "{{$}}"
LOG_LINES = 40
CONDITION = re.compile(r"inputs\.parameter_values\['(\w+)'\] == '(\w*)'")


class TaskFailed(Exception):
    """A container ended with an error; the message names the task and has the end of its log."""


class Cluster:
    """A run of a pipeline.

    Attributes:
      outputs: of each task that has run: key -> artifact, as the next task's driver gives it.
      parameters: of each task that has run: key -> output parameter.
      not_triggered: tasks whose condition did not hold, and all that wait for them.
      seconds: what each task took.
      logs: what its container wrote.
    """

    def __init__(
        self,
        spec: dict[str, Any],
        root: Path,
        parameters: dict[str, Any] | None = None,
        places: dict[str, str] | None = None,
    ):
        """Starts a run, of no task yet.

        Args:
          spec: PipelineSpec as a dictionary.
          root: folder for everything.
          parameters: of the run; the others have their defaults.
          places: text in the specification to what it is here, e.g. URLs to folders.
        """
        text = json.dumps(spec)
        for there, here in (places or {}).items():
            text = text.replace(there, here)
        self._spec = json.loads(text)
        self._bucket, self._container = root / "bucket", root / "container"
        given = self._spec["root"]["inputDefinitions"]["parameters"]
        strangers = set(parameters or {}) - set(given)
        if strangers:
            raise ValueError(f"no parameters of this pipeline: {sorted(strangers)}")
        defaults = {name: parameter["defaultValue"] for name, parameter in given.items()}
        self._parameters = {**defaults, **(parameters or {})}
        self._artifacts = 0
        self.outputs: dict[str, dict[str, Any]] = {}
        self.parameters: dict[str, dict[str, Any]] = {}
        self.not_triggered: set[str] = set()
        self.seconds: dict[str, float] = {}
        self.logs: dict[str, str] = {}

    @property
    def tasks(self) -> dict[str, Any]:
        """Of the specification, by name."""
        return self._spec["root"]["dag"]["tasks"]

    def run(self) -> None:
        """Runs every task."""
        for name in self.tasks:
            self.run_until(name)

    def run_until(self, last: str) -> None:
        """Runs a task and all that it depends on, in that order, unless they have run."""
        if last in self.outputs or last in self.not_triggered:
            return
        waits_for = self.tasks[last].get("dependentTasks", [])
        for dependency in waits_for:
            self.run_until(dependency)
        if self.not_triggered & set(waits_for) or not self._condition_holds(last):
            self.not_triggered.add(last)
            return
        self._run(last)

    def reuse(self, other: "Cluster", *tasks: str) -> None:
        """Takes tasks from another run, as if a cache had answered for them."""
        for name in tasks:
            if (other._bucket / name).is_dir():
                shutil.copytree(other._bucket / name, self._bucket / name)
            self.outputs[name] = {
                key: {**artifact, "uri": str(self._container / "root" / name / key)}
                for key, artifact in other.outputs[name].items()
            }

    def uri(self, task: str, key: str) -> Path:
        """Where an output of a task that has run lies."""
        return self._bucket / task / key

    def properties(self, task: str, key: str) -> dict[str, Any]:
        """Properties of an output."""
        return self.outputs[task][key]["metadata"]

    def _condition_holds(self, name: str) -> bool:
        condition = self.tasks[name].get("triggerPolicy", {}).get("condition")
        if not condition:
            return True
        match = CONDITION.fullmatch(condition)
        if match is None:
            raise ValueError(f"{name} has a condition of another kind: {condition}")
        return self._value(name, self.tasks[name]["inputs"]["parameters"][match[1]]) == match[2]

    def _run(self, name: str) -> None:
        component = self._spec["components"][name]
        container = self._spec["deploymentSpec"]["executors"][component["executorLabel"]]
        invocation = self._invocation(name, component)
        self._download(invocation)
        command = [*container["container"]["command"], *container["container"]["args"]]
        started = time.monotonic()
        done = subprocess.run(
            [
                sys.executable,
                *(json.dumps(invocation) if a == PLACEHOLDER else a for a in command[1:]),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TMPDIR": str(self._made(self._container / "tmp"))},
        )
        self.seconds[name] = time.monotonic() - started
        self.logs[name] = done.stdout + done.stderr
        if done.returncode:
            end = "\n".join(self.logs[name].splitlines()[-LOG_LINES:])
            raise TaskFailed(f"task {name} failed with status {done.returncode}:\n{end}")
        self.outputs[name] = self._upload(name, invocation)

    def _invocation(self, name: str, component: dict[str, Any]) -> dict[str, Any]:
        """The ExecutorInput, as the driver fills it in."""
        inputs = self.tasks[name].get("inputs", {})
        outputs = component.get("outputDefinitions", {}).get("artifacts", {})
        parameters = component.get("outputDefinitions", {}).get("parameters", {})
        return {
            "inputs": {
                "parameterValues": {
                    key: self._value(name, value)
                    for key, value in inputs.get("parameters", {}).items()
                },
                "artifacts": {
                    key: {"artifacts": [self._given(name, source)]}
                    for key, source in inputs.get("artifacts", {}).items()
                },
            },
            "outputs": {
                "artifacts": {
                    key: {
                        "artifacts": [
                            {
                                "uri": str(self._container / "root" / name / key),
                                "type": artifact["artifactType"],
                                "metadata": artifact.get("metadata", {}),
                            }
                        ]
                    }
                    for key, artifact in outputs.items()
                },
                "parameters": {
                    key: {"outputFile": str(self._container / "parameters" / name / key)}
                    for key in parameters
                },
                "outputFile": str(self._container / "kfp_outputs" / "output_metadata.json"),
            },
        }

    def _value(self, task: str, value: dict[str, Any]) -> Any:
        if "componentInputParameter" in value:
            return self._parameters[value["componentInputParameter"]]
        if "runtimeValue" in value:
            return value["runtimeValue"]["constant"]
        if "taskOutputParameter" in value:
            source = value["taskOutputParameter"]
            return self.parameters[source["producerTask"]][source["outputParameterKey"]]
        raise ValueError(f"{task} has a parameter of another kind: {value}")

    def _given(self, task: str, source: dict[str, Any]) -> dict[str, Any]:
        if "taskOutputArtifact" not in source:
            raise ValueError(f"{task} has an input of another kind: {source}")
        producer = source["taskOutputArtifact"]["producerTask"]
        return self.outputs[producer][source["taskOutputArtifact"]["outputArtifactKey"]]

    def _download(self, invocation: dict[str, Any]) -> None:
        shutil.rmtree(self._container, ignore_errors=True)
        for given in invocation["inputs"]["artifacts"].values():
            local = Path(given["artifacts"][0]["uri"])
            stored = self._bucket / local.relative_to(self._container / "root")
            if stored.is_dir():
                shutil.copytree(stored, local)
            elif stored.is_file():
                shutil.copy2(stored, self._made(local.parent) / local.name)
        for made in invocation["outputs"]["artifacts"].values():
            self._made(Path(made["artifacts"][0]["uri"]).parent)

    def _upload(self, name: str, invocation: dict[str, Any]) -> dict[str, Any]:
        file = Path(invocation["outputs"]["outputFile"])
        text = file.read_text() if file.is_file() else "{}"
        output = json_format.MessageToDict(
            json_format.Parse(text, pipeline_spec_pb2.ExecutorOutput())
        )
        self.parameters[name] = output.get("parameterValues", {})
        reported = output.get("artifacts", {})
        made = {}
        for key, listed in invocation["outputs"]["artifacts"].items():
            (artifact,) = listed["artifacts"]
            local = Path(artifact["uri"])
            if local.is_file():
                shutil.copy2(local, self._made(self._bucket / name) / key)
            for path in (path for path in local.rglob("*") if path.is_file()):
                target = self._made(self._bucket / name / key / path.parent.relative_to(local))
                shutil.copy2(path, target)
            (said,) = reported.get(key, {}).get("artifacts", [{}])
            assert said.get("uri", str(local)) == str(local), f"{name} moved {key}"
            self._artifacts += 1
            made[key] = {
                "name": str(self._artifacts),
                "uri": str(local),
                "type": {"instanceSchema": ""},
                "metadata": {
                    "display_name": key,
                    "store_session_info": "null",
                    **_recorded(name, {**artifact["metadata"], **said.get("metadata", {})}),
                },
            }
        return made

    def _made(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _recorded(task: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """Properties after they have been in ML Metadata."""
    found: dict[str, Any] = {}
    for key, value in metadata.items():
        if value is None:
            raise TaskFailed(f"task {task} gives no value of the property {key}: not supported")
        if isinstance(value, bool):
            found[key] = float(value)
        elif isinstance(value, list | dict):
            found[key] = {"list" if isinstance(value, list) else "struct": value}
        else:
            found[key] = float(value) if isinstance(value, int) else value
    return found
