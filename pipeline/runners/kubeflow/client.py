"""Uploads, runs and schedules a compiled pipeline, by the kfp client; every step may be repeated.

A version of a pipeline is named by the digest of its file, so the same file is uploaded once. The
API of Kubeflow Pipelines knows no change of a schedule: a changed one is made first, and what it
replaces is deleted after, so that there is never none.
"""

import dataclasses
import hashlib
import json
import re
import urllib.parse
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kfp
from kfp.client import Client

from kws import credentials
from kws.errors import KwsError
from pipeline.runners.kubeflow.errors import Access, message_of

EXPERIMENT = "kws"
_PAGE = 100
_RUNS = "/apis/v2beta1/runs"
_CONVERTED = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": float, "STRING": str}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Version:
    """An uploaded version; `new` where this upload made it."""

    pipeline_id: str
    version_id: str
    name: str
    new: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schedule:
    """A recurring run as the server describes it."""

    schedule_id: str
    name: str
    cron: str
    enabled: bool
    version_id: str
    parameters: dict[str, Any]
    pipeline_root: str
    service_account: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """A run as the server describes it; `failure`: which task failed, and why, or ""."""

    run_id: str
    name: str
    state: str
    created_at: str
    failure: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """A task of a run; `pods`: names that its container's pod may have."""

    name: str
    state: str
    ended_at: str
    pods: list[str]
    error: str


class Kubeflow:
    """A server of Kubeflow Pipelines."""

    def __init__(self, access: Access, namespace: str | None = None):
        """Connects.

        Args:
          access: URL of the API, and what it asks for.
          namespace: of a multi-user installation.

        Raises:
          KwsError: nobody answers, no permission, not the v2beta1 API, or a password in the URL.
        """
        credentials.check(access.host, "--host")
        self._access = access = dataclasses.replace(access, host=access.host.rstrip("/"))
        self._host = access.host
        self._namespace = namespace
        access.check()
        with warnings.catch_warnings(), access.explained():
            warnings.simplefilter("ignore", FutureWarning)
            self._client: Client = kfp.Client(
                host=access.host,
                namespace=namespace or "kubeflow",
                existing_token=access.token,
                cookies=access.cookie,
                ssl_ca_cert=str(access.ca_cert) if access.ca_cert else None,
            )

    def upload(self, file: Path) -> Version:
        """Makes sure that the server has this file as a version of its pipeline."""
        name = pipeline_name(file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        version = f"{name}-{digest}"
        with self._access.explained():
            pipeline_id = self._pipeline_id(name) or self._create_pipeline(name)
            there = self._client.list_pipeline_versions(
                pipeline_id, page_size=_PAGE, filter=_named(version)
            ).pipeline_versions
            made = (there or [None])[0] or self._client.upload_pipeline_version(
                str(file), version, pipeline_id=pipeline_id
            )
            return Version(
                pipeline_id=pipeline_id,
                version_id=made.pipeline_version_id,
                name=version,
                new=not there,
            )

    def run(
        self, file: Path, parameters: dict[str, Any], service_account: str | None = None
    ) -> str:
        """Starts a run of the file, uploaded if need be; returns the run's id."""
        version = self.upload(file)
        with self._access.explained():
            return self._client.run_pipeline(
                experiment_id=self._experiment(),
                job_name=version.name,
                params=parameters,
                pipeline_id=version.pipeline_id,
                version_id=version.version_id,
                pipeline_root=pipeline_root(file),
                service_account=service_account,
            ).run_id

    def schedule(
        self,
        file: Path,
        cron: str,
        parameters: dict[str, Any],
        name: str | None = None,
        service_account: str | None = None,
    ) -> tuple[Schedule, bool]:
        """Makes sure that the file runs by this cron expression, under this name, and once only.

        Runs do not overlap, and what was missed while paused is not made up for: a run takes the
        newest data anyway.

        Returns:
          The schedule, and whether anything had to be changed.
        """
        check_cron(cron)
        version = self.upload(file)
        name, root = name or pipeline_name(file), pipeline_root(file)
        before = [found for found in self.schedules() if found.name == name]
        for found in before:
            account = service_account or found.service_account
            wanted = (cron, True, version.version_id, parameters, root, account)
            if dataclasses.astuple(found)[2:] == wanted:
                self._delete(other for other in before if other is not found)
                return found, len(before) > 1
        with self._access.explained():
            made = self._client.create_recurring_run(
                experiment_id=self._experiment(),
                job_name=name,
                cron_expression=cron,
                max_concurrency=1,
                no_catchup=True,
                params=parameters,
                pipeline_id=version.pipeline_id,
                version_id=version.version_id,
                pipeline_root=root,
                service_account=service_account,
            )
        self._delete(before)
        return _schedule(made), True

    def schedules(self) -> list[Schedule]:
        """All schedules of our experiment."""
        found: list[Schedule] = []
        token = ""
        with self._access.explained():
            experiment = self._experiment()
            while True:
                page = self._client.list_recurring_runs(
                    page_token=token, page_size=_PAGE, experiment_id=experiment
                )
                found += [_schedule(one) for one in page.recurring_runs or []]
                token = page.next_page_token or ""
                if not token:
                    return found

    def pause(self, name: str, resume: bool = False) -> int:
        """Pauses the schedules of a name, or resumes them; returns how many were changed.

        Raises:
          KwsError: there is none of this name.
        """
        every = self.schedules()
        named = [found for found in every if found.name == name]
        if not named:
            raise KwsError(
                f"{self._host} has no schedule {name!r}",
                hint=f"it has {', '.join(sorted({one.name for one in every})) or 'none'}",
            )
        changed = [found for found in named if found.enabled != resume]
        with self._access.explained():
            for found in changed:
                if resume:
                    self._client.enable_recurring_run(found.schedule_id)
                else:
                    self._client.disable_recurring_run(found.schedule_id)
        return len(changed)

    def delete(self, name: str) -> int:
        """Deletes the schedules of a name; returns how many there were."""
        named = [found for found in self.schedules() if found.name == name]
        self._delete(named)
        return len(named)

    def runs(self, count: int = 20) -> list["Run"]:
        """The newest runs of our experiment; of one that failed, which task and why."""
        experiment = self._experiment()
        query = urllib.parse.urlencode(
            {
                "experiment_id": experiment,
                "page_size": count,
                "sort_by": "created_at desc",
                **({"namespace": self._namespace} if self._namespace else {}),
            }
        )
        listed = json.loads(self._access.get(f"{_RUNS}?{query}")).get("runs") or []
        return [self._run(one) for one in listed]

    def log(self, run_id: str, task: str | None = None) -> tuple[str, str]:
        """What a task's container wrote.

        Args:
          run_id: as `runs` gives it.
          task: by its name; None: the one that failed.

        Returns:
          Name of the task, and the log.

        Raises:
          KwsError: the run has no such task, or its log was deleted.
        """
        tasks = self._tasks(run_id)
        names = ", ".join(sorted(one.name for one in tasks)) or "none yet"
        failed = _first_failed(tasks)
        wanted = [one for one in tasks if one.name == task] if task else [failed] * bool(failed)
        if not wanted or wanted[0] is None:
            missing = f"no task {task!r}" if task else "no task that failed"
            raise KwsError(f"run {run_id} has {missing}", hint=f"--task, one of {names}")
        for pod in wanted[0].pods:
            text = self._access.get(f"/apis/v1alpha1/runs/{run_id}/nodes/{pod}/log").decode(
                "utf-8", "replace"
            )
            # The server says 200 before it looks, and what went wrong in the text.
            if not text.lstrip().startswith('{"error_message"'):
                return wanted[0].name, text
        raise KwsError(
            f"run {run_id}: the server has no log of {wanted[0].name}",
            hint="its pod is gone: look at the artifact executor-logs of the task",
        )

    def _run(self, found: dict[str, Any]) -> "Run":
        run_id, state = found["run_id"], found.get("state", "PENDING")
        failure = ""
        if state == "FAILED":
            failed = _first_failed(self._tasks(run_id))
            said = message_of(json.dumps(found.get("error") or {}))
            failure = said if failed is None else f"{failed.name}: {self._reason(run_id, failed)}"
        return Run(
            run_id=run_id,
            name=found.get("display_name", ""),
            state=state,
            created_at=found.get("created_at", ""),
            failure=failure,
        )

    def _reason(self, run_id: str, failed: "Task") -> str:
        """The last line of the log, which our containers end with their error."""
        try:
            lines = [line for line in self.log(run_id, failed.name)[1].splitlines() if line.strip()]
        except KwsError as error:
            return failed.error or error.message
        # As the entry point writes it: the executor's class, and the error.
        return re.sub(r"^[\w.]+\.Executor: ", "", lines[-1].strip()) if lines else failed.error

    def _tasks(self, run_id: str) -> list["Task"]:
        return _tasks_of(json.loads(self._access.get(f"{_RUNS}/{run_id}?view=FULL")))

    def _delete(self, schedules: Iterator[Schedule] | list[Schedule]) -> None:
        with self._access.explained():
            for found in schedules:
                self._client.delete_recurring_run(found.schedule_id)

    def _pipeline_id(self, name: str) -> str | None:
        found = self._client.list_pipelines(filter=_named(name), namespace=self._namespace)
        return found.pipelines[0].pipeline_id if found.pipelines else None

    def _create_pipeline(self, name: str) -> str:
        models, pipelines = self._client.api_models, self._client.pipelines
        body = models.V2beta1Pipeline(display_name=name, namespace=self._namespace)
        return pipelines.create_pipeline(body=body).pipeline_id

    def _experiment(self) -> str:
        return self._client.create_experiment(EXPERIMENT, namespace=self._namespace).experiment_id


def pipeline_name(file: Path) -> str:
    """The name in a compiled pipeline.

    Raises:
      KwsError: there is no such file, or it is none.
    """
    return _spec(file)["pipelineInfo"]["name"]


def pipeline_root(file: Path) -> str:
    """The pipeline root in a compiled pipeline, for the request: the server reads it there alone.

    Raises:
      KwsError: see `pipeline_name`.
    """
    return _spec(file).get("defaultPipelineRoot", "")


def parameters_of(file: Path, given: list[str]) -> dict[str, Any]:
    """`name=value` texts as the pipeline's parameters, in their types.

    Raises:
      KwsError: the pipeline has no such parameter, or the value is of another type, or a
        credential.
    """
    known = _spec(file)["root"].get("inputDefinitions", {}).get("parameters", {})
    parameters = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator:
            raise KwsError(f"--parameter {text}: not of the form name=value")
        if name not in known:
            raise KwsError(
                f"the pipeline has no parameter {name!r}", hint=f"it has {', '.join(sorted(known))}"
            )
        credentials.check(value, f"--parameter {name}")
        kind = known[name]["parameterType"]
        try:
            parameters[name] = _CONVERTED[kind](value)
        except ValueError:
            raise KwsError(f"--parameter {text}: {value!r} is no {kind}") from None
    return parameters


def check_cron(cron: str) -> None:
    """Raises KwsError unless it is of six fields, as Kubeflow Pipelines wants them."""
    fields = cron.split()
    if len(fields) != 6 or not all(re.fullmatch(r"[0-9A-Za-z*?/,\-]+", field) for field in fields):
        raise KwsError(
            f"--cron {cron!r} has not the six fields second minute hour day month weekday",
            hint='"0 0 3 * * *" is every night at three',
        )


def _spec(file: Path) -> dict[str, Any]:
    import yaml

    try:
        # After it there may be a document for the platform.
        spec = next(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        spec["pipelineInfo"]["name"], spec["root"]
    except FileNotFoundError:
        raise KwsError(f"{file} does not exist", hint="make it: kws kubeflow compile") from None
    except (yaml.YAMLError, KeyError, TypeError, UnicodeDecodeError, StopIteration):
        raise KwsError(f"{file} is no compiled pipeline", hint="kws kubeflow compile") from None
    return spec


def _tasks_of(run: dict[str, Any]) -> list[Task]:
    """The tasks of a run; with ML Metadata these are nodes of Argo's workflow, among others."""
    found = [
        Task(
            name=one["name"],
            state=one.get("state", ""),
            ended_at=one.get("end_time", ""),
            pods=[pod["name"] for pod in one.get("pods", []) if pod.get("type") == "EXECUTOR"],
            error=one.get("status_metadata", {}).get("message", ""),
        )
        for one in run.get("tasks", [])
        if one.get("type") == "RUNTIME"
    ]
    nodes = run.get("run_details", {}).get("task_details", [])
    children = [_children(node) for node in nodes]
    for node, below in zip(nodes, children, strict=True):
        name = node.get("display_name", "")
        is_workflow = any(child.startswith(f"{name}-") for some in children for child in some)
        if is_workflow or name in ("root", "executor") or not name:
            continue
        # What ends a driver ends its task.
        task = name.removesuffix("-driver")
        if task != name and node.get("state") != "FAILED":
            continue
        found.append(
            Task(
                name=task,
                state=node.get("state", ""),
                ended_at=node.get("end_time", ""),
                pods=[pod for child in below for pod in (_pod(child), child)],
                error=(node.get("error") or {}).get("message", ""),
            )
        )
    return found


def _children(node: dict[str, Any]) -> list[str]:
    return [child["pod_name"] for child in node.get("child_tasks", []) if child.get("pod_name")]


def _pod(node_id: str) -> str:
    """The pod of Argo's node `WORKFLOW-HASH`, which has the template's name in it, too."""
    workflow, _, number = node_id.rpartition("-")
    return f"{workflow}-system-container-impl-{number}"


def _first_failed(tasks: list[Task]) -> Task | None:
    failed = [one for one in tasks if one.state == "FAILED"]
    return min(failed, key=lambda one: one.ended_at) if failed else None


def _named(name: str) -> str:
    predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
    return json.dumps({"predicates": [predicate]})


def _schedule(found: Any) -> Schedule:
    trigger = found.trigger and found.trigger.cron_schedule
    version = found.pipeline_version_reference
    return Schedule(
        schedule_id=found.recurring_run_id,
        name=found.display_name,
        cron=trigger.cron if trigger else "",
        enabled=(found.status or found.mode) in ("ENABLE", "ENABLED"),
        version_id=version.pipeline_version_id if version else "",
        parameters=(found.runtime_config and found.runtime_config.parameters) or {},
        pipeline_root=(found.runtime_config and found.runtime_config.pipeline_root) or "",
        service_account=found.service_account or "",
    )
