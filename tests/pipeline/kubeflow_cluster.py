"""Plays the part of a cluster: runs tasks of a compiled pipeline by their own command lines.

What the driver and the launcher of Kubeflow Pipelines do around a container (`backend/src/v2` of
kubeflow/pipelines) is done here likewise, as far as an executor can tell, and as each version of
the server does it (`Version`):

- The driver takes the pipeline root from the request, checks parameters against their types, fills
  in an ExecutorInput, and asks the cache. From 2.5 on each task has an output `executor-logs` more.
- A container has an environment of its own: what the specification says, secrets and volumes by the
  platform's document, a home that is empty, a user of any number; and `/gcs`, `/s3` and `/minio` of
  its own, into which nothing but the task's inputs is copied.
- It runs the very command of the container, reads the executor's output, adds its properties to the
  artifacts, and uploads them to flat names of an object store (`tests.pipeline.object_stores`).
- A task whose condition (on a parameter, as the open-source server evaluates it) does not hold is
  not triggered, and neither is what waits for it.
"""

import concurrent.futures
import dataclasses
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from tests.pipeline import namespace
from tests.pipeline.object_stores import Objects

REPOSITORY = Path(__file__).parents[2]
PLACEHOLDER = "{{$}}"
LOGS = "executor-logs"
LOG_LINES = 40
CONDITION = re.compile(r"inputs\.parameter_values\['(\w+)'\] == '(\w*)'")
MOUNTS = {"gs": "/gcs", "s3": "/s3", "minio": "/minio"}
DEFAULT_ROOT = "minio://mlpipeline/v2/artifacts"
MAX_VARIABLE_BYTES = 128 << 10
"""Linux passes no longer argument or environment variable (MAX_ARG_STRLEN)."""
_IDS = itertools.count(1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Version:
    """What an executor can tell of a server's version.

    Attributes:
      name: as it is called.
      publishes_logs: a task has an output `executor-logs`, of the type system.Artifact.
      report_beside_outputs: the executor's report is wanted in the task's folder, not in /tmp.
      argo_template_bytes: limit of the variable ARGO_TEMPLATE; None: Argo moves larger ones.
      exact_keys: of a download; before, it takes every object whose name begins like the
        artifact's.
      without_metadata: ML Metadata is gone. An input's type is the whole instance schema as
        `schemaTitle`, its name is the output's key, and a declared output without a file is an
        error.
    """

    name: str
    publishes_logs: bool = True
    report_beside_outputs: bool = True
    argo_template_bytes: int | None = None
    exact_keys: bool = True
    without_metadata: bool = False


VERSIONS = {
    version.name: version
    for version in (
        Version(
            name="2.4",
            publishes_logs=False,
            report_beside_outputs=False,
            argo_template_bytes=MAX_VARIABLE_BYTES,
            exact_keys=False,
        ),
        Version(
            name="2.5",
            report_beside_outputs=False,
            argo_template_bytes=MAX_VARIABLE_BYTES,
            exact_keys=False,
        ),
        Version(name="2.17"),
        Version(name="without ML Metadata", without_metadata=True),
    )
}


class TaskFailed(Exception):
    """The server refuses a task, or its container ended with an error, of whose log this has the
    end."""


class Cluster:
    """A run of a pipeline.

    Attributes:
      outputs: of each task that has run: key -> artifact, as the next task's driver gives it.
      parameters: of each task that has run: key -> output parameter.
      not_triggered: tasks whose condition did not hold, and all that wait for them.
      cached: tasks for which the cache answered.
      seconds: what each task took.
      logs: what its container wrote.
    """

    def __init__(
        self,
        spec: dict[str, Any],
        root: Path,
        parameters: dict[str, Any] | None = None,
        places: dict[str, str] | None = None,
        *,
        version: str = "2.17",
        pipeline_root: str | None = None,
        platform: dict[str, Any] | None = None,
        objects: Objects | None = None,
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        claims: Mapping[str, Path] | None = None,
        cache: dict[str, dict[str, Any]] | None = None,
        uid: int | None = None,
        gid: int = 0,
        workers: int = 1,
    ):
        """Starts a run, of no task yet.

        Args:
          spec: PipelineSpec as a dictionary.
          root: folder for everything.
          parameters: of the run; the others have their defaults.
          places: text in the specification to what it is here, e.g. URLs to folders.
          version: of VERSIONS.
          pipeline_root: of the request (`runtime_config.pipeline_root`); None: the server's own.
          platform: the file's other document.
          objects: the store; by default one that is a folder here.
          secrets: of the namespace, by name.
          claims: persistent volumes, by the name of their claim.
          cache: fingerprint -> outputs, shared by the runs of a server.
          uid: the containers' user; None: the caller's.
          gid: their only group.
          workers: containers at once.
        """
        namespace.needed()
        text = json.dumps(spec)
        for there, here in (places or {}).items():
            text = text.replace(there, here)
        self._spec = json.loads(text)
        self._version, self._root = VERSIONS[version], root
        self.run_id = str(uuid.uuid4())
        name = self._spec["pipelineInfo"]["name"]
        self._url = f"{(pipeline_root or DEFAULT_ROOT).rstrip('/')}/{name}/{self.run_id}"
        self._platform = (platform or {}).get("platforms", {}).get("kubernetes", {})
        self._objects = objects or Objects(root / "bucket")
        self._secrets, self._claims = secrets or {}, claims or {}
        self._cache, self._user, self._workers = (
            cache if cache is not None else {},
            (uid, gid),
            workers,
        )
        given = self._spec["root"]["inputDefinitions"]["parameters"]
        strangers = set(parameters or {}) - set(given)
        if strangers:
            raise ValueError(f"no parameters of this pipeline: {sorted(strangers)}")
        defaults = {key: parameter["defaultValue"] for key, parameter in given.items()}
        self._parameters = {**defaults, **(parameters or {})}
        self.outputs: dict[str, dict[str, Any]] = {}
        self.parameters: dict[str, dict[str, Any]] = {}
        self.not_triggered: set[str] = set()
        self.cached: set[str] = set()
        self.seconds: dict[str, float] = {}
        self.logs: dict[str, str] = {}

    @property
    def tasks(self) -> dict[str, Any]:
        """Of the specification, by name."""
        return self._spec["root"]["dag"]["tasks"]

    def run(self) -> None:
        """Runs every task, `workers` at once."""
        waiting = dict.fromkeys(name for name in self.tasks if name not in self.outputs)
        with concurrent.futures.ThreadPoolExecutor(self._workers) as pool:
            running: dict[concurrent.futures.Future, str] = {}
            while waiting or running:
                for name in [name for name in waiting if self._is_ready(name)]:
                    del waiting[name]
                    running[pool.submit(self._start, name)] = name
                done, _ = concurrent.futures.wait(running, return_when="FIRST_COMPLETED")
                for future in done:
                    del running[future]
                    future.result()

    def run_until(self, last: str) -> None:
        """Runs a task and all that it depends on, in that order, unless they have run."""
        if last in self.outputs or last in self.not_triggered:
            return
        for dependency in self.tasks[last].get("dependentTasks", []):
            self.run_until(dependency)
        self._start(last)

    def reuse(self, other: "Cluster", *tasks: str) -> None:
        """Takes tasks from another run, as if a cache had answered for them."""
        for name in tasks:
            self.outputs[name] = other.outputs[name]
            self.parameters[name] = other.parameters[name]
            for artifact in other.outputs[name].values():
                if other._objects is not self._objects:
                    self._take(other, artifact["uri"])

    def uri(self, task: str, key: str) -> Path:
        """A copy of an output of a task that has run; its files' folder, or its only file."""
        local = self._root / "fetched" / task / key
        if not local.exists():
            self._download_blob(self.outputs[task][key]["uri"], local)
        return local

    def properties(self, task: str, key: str) -> dict[str, Any]:
        """Properties of an output."""
        return self.outputs[task][key]["metadata"]

    def _is_ready(self, name: str) -> bool:
        over = {*self.outputs, *self.not_triggered}
        return set(self.tasks[name].get("dependentTasks", [])) <= over

    def _take(self, other: "Cluster", uri: str) -> None:
        with tempfile.NamedTemporaryFile() as file:
            for url in other._objects.list(uri):
                other._objects.get(url, Path(file.name))
                self._objects.put(url, Path(file.name))

    # The driver.

    def _start(self, name: str) -> None:
        waits_for = set(self.tasks[name].get("dependentTasks", []))
        if self.not_triggered & waits_for or not self._condition_holds(name):
            self.not_triggered.add(name)
            return
        component, container = self._definitions(name)
        invocation = self._invocation(name, component)
        key = self._fingerprint(name, invocation, container)
        if key is not None and key in self._cache:
            self.cached.add(name)
            self.parameters[name], self.outputs[name] = self._cache[key].values()
            return
        too_long = self.check_template(name, invocation)
        if too_long:
            raise TaskFailed(too_long)
        made = self._run(name, container, invocation, component["executorLabel"])
        if key is not None:
            self._cache[key] = {"parameters": self.parameters[name], "outputs": made}
        self.outputs[name] = made

    def _condition_holds(self, name: str) -> bool:
        condition = self.tasks[name].get("triggerPolicy", {}).get("condition")
        if not condition:
            return True
        match = CONDITION.fullmatch(condition)
        if match is None:
            raise ValueError(f"{name} has a condition of another kind: {condition}")
        return self._value(name, self.tasks[name]["inputs"]["parameters"][match[1]]) == match[2]

    def _invocation(self, name: str, component: dict[str, Any]) -> dict[str, Any]:
        """The ExecutorInput, as the driver fills it in."""
        inputs = self.tasks[name].get("inputs", {})
        artifacts = dict(component.get("outputDefinitions", {}).get("artifacts", {}))
        parameters = component.get("outputDefinitions", {}).get("parameters", {})
        if self._version.publishes_logs:
            artifacts[LOGS] = {"artifactType": {"schemaTitle": "system.Artifact"}}
        task = f"{self._url}/{name}/{uuid.uuid4()}"
        report = "/tmp/kfp_outputs/output_metadata.json"
        if self._version.report_beside_outputs:
            report = f"{local_path(task)}/output_metadata.json"
        named = self._version.report_beside_outputs
        return {
            "inputs": {
                "parameterValues": self._typed(
                    name,
                    component,
                    {
                        key: self._value(name, of)
                        for key, of in inputs.get("parameters", {}).items()
                    },
                ),
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
                                **({"name": key} if named else {}),
                                "uri": f"{task}/{key}",
                                "type": artifact["artifactType"],
                                "metadata": artifact.get("metadata", {}),
                            }
                        ]
                    }
                    for key, artifact in artifacts.items()
                },
                "parameters": {
                    key: {"outputFile": f"/tmp/kfp/outputs/{key}"} for key in parameters
                },
                "outputFile": report,
            },
        }

    def _typed(
        self, task: str, component: dict[str, Any], values: dict[str, Any]
    ) -> dict[str, Any]:
        """The parameters, once the driver has held them against their types."""
        for key, defined in component.get("inputDefinitions", {}).get("parameters", {}).items():
            kind = defined["parameterType"]
            if key not in values:
                if not defined.get("isOptional") and "defaultValue" not in defined:
                    raise TaskFailed(f"task {task}: no value of the parameter {key}")
            elif kind == "STRING":
                if not isinstance(values[key], str):
                    values[key] = json.dumps(values[key])
            elif not isinstance(values[key], int | float) or isinstance(values[key], bool):
                raise TaskFailed(f"task {task}: {key}={values[key]!r} is not a {kind}")
        return values

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

    def _fingerprint(self, name: str, invocation: Any, container: Any) -> str | None:
        if not self.tasks[name].get("cachingOptions", {}).get("enableCache"):
            return None
        inputs, outputs = invocation["inputs"], invocation["outputs"]["artifacts"]
        identities = {
            key: [one.get("artifactId") or one["name"] for one in given["artifacts"]]
            for key, given in inputs["artifacts"].items()
        }
        made = {key: given["artifacts"][0]["type"] for key, given in outputs.items()}
        ran = [container["image"], container["command"], container["args"]]
        of = [self._spec["pipelineInfo"]["name"], identities, inputs["parameterValues"], made, ran]
        return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()

    def check_template(self, name: str, invocation: Any = None) -> str | None:
        """What Argo says where its template is too long for this version.

        It fills a parameter in at its place, and keeps it among the template's inputs.
        """
        limit = self._version.argo_template_bytes
        component, container = self._definitions(name)
        if invocation is None:
            constants = self.tasks[name]["inputs"]["parameters"]
            values = {
                key: of.get("runtimeValue", {}).get("constant") for key, of in constants.items()
            }
            invocation = {"inputs": {"parameterValues": values}}
        driver = [json.dumps(one) for one in (component, self.tasks[name], container)]
        launcher = ["--executor_input", json.dumps(invocation), "--component_spec", driver[0]]
        patch = json.dumps({"containers": [{"command": launcher, "args": container["args"]}]})
        for kind, values in (("driver", driver), ("executor", [patch])):
            template = json.dumps({"inputs": {"parameters": values}, "container": values})
            if limit is not None and len(template) > limit:
                return (
                    f"task {name}: ARGO_TEMPLATE of the {kind} has {len(template)} bytes: argument "
                    "list too long"
                )
        return None

    def _definitions(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The component and the container of a task."""
        component = self._spec["components"][name]
        executor = self._spec["deploymentSpec"]["executors"][component["executorLabel"]]
        return component, executor["container"]

    # The launcher.

    def _run(self, name: str, container: Any, invocation: Any, label: str) -> dict[str, Any]:
        work = Path(tempfile.mkdtemp(dir=_made(self._root / "containers"), prefix=f"{name}-"))
        # As an emptyDir: anybody may write there.
        scratch = {mount: _made(work / mount.strip("/")) for mount in MOUNTS.values()}
        home, temporary = _made(work / "home"), _made(work / "tmp")
        report, written = _made(work / "report"), _made(work / "parameters")
        for folder in (home, temporary, report, written, *scratch.values()):
            folder.chmod(0o777)
        uid, gid = self._user
        laid: dict[str, Path | str] = {**scratch, "/home/kws": home}
        # Of another user, who may not look into the folders of this one's tests.
        laid |= {} if uid is None else {"/tmp": temporary}
        laid |= {"/tmp/kfp_outputs": report, "/tmp/kfp": written}
        config = self._platform.get("deploymentSpec", {}).get("executors", {}).get(label, {})
        for volume in config.get("pvcMount", []):
            laid[volume["mountPath"]] = self._claims[volume["constant"]]
        at = _Places(laid)
        self._download(invocation, at)
        for made in invocation["outputs"]["artifacts"].values():
            _open(at.here(local_path(made["artifacts"][0]["uri"])).parent, work)
        for parameter in invocation["outputs"]["parameters"].values():
            _open(at.here(parameter["outputFile"]).parent, work)

        message = json.dumps(invocation)
        command = [*container["command"], *container.get("args", [])]
        command = [sys.executable, *(word.replace(PLACEHOLDER, message) for word in command[1:])]
        started = time.monotonic()
        done = subprocess.run(
            namespace.command(command, work / "namespace", laid, uid, gid, "/home/kws"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=self._environment(name, container, config, temporary),
        )
        self.seconds[name] = time.monotonic() - started
        self.logs[name] = done.stdout
        if self._version.publishes_logs:
            logs = invocation["outputs"]["artifacts"][LOGS]["artifacts"][0]["uri"]
            at.here(local_path(logs)).write_text(done.stdout)
        if done.returncode:
            end = "\n".join(self.logs[name].splitlines()[-LOG_LINES:])
            raise TaskFailed(f"task {name} failed with status {done.returncode}:\n{end}")
        return self._upload(name, invocation, at)

    def _environment(
        self, name: str, container: Any, config: Any, temporary: Path
    ) -> dict[str, str]:
        """Of the image, the specification and the secrets; nothing of who runs the tests."""
        found = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": "/home/kws",
            "KWS_CACHE": "/home/kws/cache",
            **({"TMPDIR": str(temporary)} if self._user[0] is None else {}),
            **{one["name"]: one["value"] for one in container.get("env", [])},
        }
        for secret in config.get("secretAsEnv", []):
            if secret["secretName"] not in self._secrets:
                raise TaskFailed(f"task {name}: secret {secret['secretName']!r} not found")
            content = self._secrets[secret["secretName"]]
            for entry in secret["keyToEnv"]:
                found[entry["envVar"]] = content[entry["secretKey"]]
        return found

    def _download(self, invocation: dict[str, Any], at: "_Places") -> None:
        for given in invocation["inputs"]["artifacts"].values():
            for artifact in given["artifacts"]:
                self._download_blob(artifact["uri"], at.here(local_path(artifact["uri"])))

    def _download_blob(self, uri: str, local: Path) -> None:
        found = self._objects.list(uri)
        if self._version.exact_keys:
            found = [url for url in found if url == uri or url.startswith(f"{uri}/")]
        if self._version.without_metadata and len(found) > 1:
            found = [url for url in found if url.rstrip("/") != uri]
        for url in found:
            # filepath.Join takes a slash at the end away: the marker of a folder becomes a file.
            target = Path(os.path.normpath(local / os.path.relpath(url, uri)))
            try:
                self._objects.get(url, target)
            except OSError as error:
                raise TaskFailed(f"failed to download {url}: {error}") from error

    def _upload(self, name: str, invocation: dict[str, Any], at: "_Places") -> dict[str, Any]:
        file = at.here(invocation["outputs"]["outputFile"])
        text = file.read_text() if file.is_file() else "{}"
        output = json_format.MessageToDict(
            json_format.Parse(text, pipeline_spec_pb2.ExecutorOutput())
        )
        self.parameters[name] = output.get("parameterValues", {})
        for key in invocation["outputs"]["parameters"]:
            if key not in self.parameters[name]:
                raise TaskFailed(f"task {name}: failed to read output parameter {key}")
        reported = output.get("artifacts", {})
        made = {}
        for key, listed in invocation["outputs"]["artifacts"].items():
            (artifact,) = listed["artifacts"]
            (said,) = reported.get(key, {}).get("artifacts", [{}])
            if key == LOGS:
                assert key not in reported, "the launcher's own"
            uri = said.get("uri") or artifact["uri"]
            assert uri == artifact["uri"], f"{name} moved {key} to {uri}"
            local = at.here(local_path(uri))
            if not local.exists() and self._version.without_metadata:
                raise TaskFailed(f"task {name}: declared output artifact {key!r} is missing")
            if local.is_file():
                self._objects.put(uri, local)
            for path in (path for path in local.rglob("*") if path.is_file()):
                self._objects.put(f"{uri}/{path.relative_to(local).as_posix()}", path)
            if key != LOGS:
                metadata = {**artifact["metadata"], **said.get("metadata", {})}
                made[key] = self._recorded(name, key, artifact, metadata)
        return made

    def _recorded(
        self, task: str, key: str, artifact: dict[str, Any], metadata: dict[str, Any]
    ) -> dict[str, Any]:
        """An output as the next task's driver gives it."""
        number = str(next(_IDS))
        if self._version.without_metadata:
            return {
                "name": key,
                "artifactId": f"artifact-{number}",
                "uri": artifact["uri"],
                "type": {"schemaTitle": artifact["type"]["instanceSchema"]},
                "metadata": _as_floats(metadata),
            }
        found: dict[str, Any] = {"display_name": key, "store_session_info": "null"}
        for name, value in metadata.items():
            if value is None:
                raise TaskFailed(f"task {task} gives no value of the property {name}: unsupported")
            if isinstance(value, list | dict):
                value = {"list" if isinstance(value, list) else "struct": value}
            found[name] = value
        return {
            "name": number,
            "uri": artifact["uri"],
            "type": {"instanceSchema": ""},
            "metadata": _as_floats(found),
        }


class _Places:
    """Where a path of the container is on this machine."""

    def __init__(self, laid: Mapping[str, Path | str]):
        self._laid = {path: here for path, here in laid.items() if isinstance(here, Path)}

    def here(self, path: str) -> Path:
        for mounted, here in sorted(self._laid.items(), reverse=True):
            if path == mounted or path.startswith(f"{mounted}/"):
                return here / path[len(mounted) :].lstrip("/")
        return Path(path)


def local_path(uri: str) -> str:
    """Where the launcher keeps its copy; a scheme that it does not know is an error."""
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in MOUNTS:
        raise TaskFailed(f"failed to generate local path for URI {uri}: unsupported storage scheme")
    return f"{MOUNTS[scheme]}/{rest}"


def _as_floats(metadata: Any) -> Any:
    """Numbers have one type in a protobuf Struct."""
    if isinstance(metadata, dict):
        return {key: _as_floats(value) for key, value in metadata.items()}
    if isinstance(metadata, list):
        return [_as_floats(value) for value in metadata]
    return float(metadata) if isinstance(metadata, int) else metadata


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _open(folder: Path, above: Path) -> None:
    """Makes a folder that the container's user, who made it, may write to."""
    folder.mkdir(parents=True, exist_ok=True)
    while folder != above:
        folder.chmod(0o777)
        folder = folder.parent
