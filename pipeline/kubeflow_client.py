"""Uploads, runs and schedules a compiled pipeline, by the kfp client; every step may be repeated.

A version of a pipeline is named by the digest of its file, so the same file is uploaded once. The
API of Kubeflow Pipelines knows no change of a schedule: a changed one is made first, and what it
replaces is deleted after, so that there is never none.
"""

import dataclasses
import hashlib
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kfp
from kfp.client import Client

from kws import credentials
from kws.errors import KwsError
from pipeline.kubeflow_errors import check_server, explained

EXPERIMENT = "kws"
_PAGE = 100
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


class Kubeflow:
    """A server of Kubeflow Pipelines."""

    def __init__(self, host: str, namespace: str | None = None, token: str | None = None):
        """Connects.

        Args:
          host: URL of the API.
          namespace: of a multi-user installation.
          token: bearer token, where the installation asks for one.

        Raises:
          KwsError: nobody answers, no permission, not the v2beta1 API, or a password in the URL.
        """
        credentials.check(host, "--host")
        self._host = host.rstrip("/")
        self._namespace = namespace
        check_server(self._host, token)
        with warnings.catch_warnings(), explained(self._host):
            warnings.simplefilter("ignore", FutureWarning)
            self._client: Client = kfp.Client(
                host=self._host, namespace=namespace or "kubeflow", existing_token=token
            )

    def upload(self, file: Path) -> Version:
        """Makes sure that the server has this file as a version of its pipeline."""
        name = pipeline_name(file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        version = f"{name}-{digest}"
        with explained(self._host):
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
        with explained(self._host):
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
        with explained(self._host):
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
        with explained(self._host):
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
        with explained(self._host):
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

    def _delete(self, schedules: Iterator[Schedule] | list[Schedule]) -> None:
        with explained(self._host):
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
