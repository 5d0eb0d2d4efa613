"""What every container of the compiled pipeline runs: one executor, as TFX's own entry point does.

    python -m pipeline.runners.kubeflow.entrypoint --executor_class_path ... \
        --json_serialized_invocation_args '{...}' --json_serialized_inputs_spec_args '{...}'

Around TFX's (`kubeflow_v2_run_executor`) it does what that does not:

- Keras 2 is chosen before TensorFlow is imported (see `kws`).
- Parameters of the run are written into the properties (`run_parameters`).
- Artifacts are read and written where Kubeflow's launcher has put the bucket's files, `/gcs/...`
  for `gs://...`, so that no executor needs a client of the bucket; what is reported is the URL.
  Only where Beam's workers are on other machines, which have no such copies, it stays the URL.
- The types of inputs come from the component's own definition. What the open-source server says of
  them depends on its version: nothing, or the whole schema where TFX expects a class's name.
- From 2.5 on the server gives each task an output `executor-logs`, which its launcher writes: it is
  hidden from TFX, which knows no class of its type.
- Every declared output is there in the end, if only as an empty folder: servers without ML Metadata
  fail a task that lacks one.
- Folders that clients of `gs://` mark by objects of no bytes are removed, as the launcher would
  download them as files.
- Before an ingestion its span is found, which elsewhere TFX's driver does.
"""

import argparse
import importlib
import json
import logging
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import kws  # noqa: F401  # selects Keras 2, so it comes before TensorFlow
from kws.errors import KwsError
from pipeline.runners.kubeflow import run_parameters
from pipeline.runners.terminal_progress import OURS

MOUNTS = {"gs://": "/gcs/", "s3://": "/s3/", "minio://": "/minio/"}
"""Scheme -> where the launcher of Kubeflow Pipelines keeps local copies."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the executor; whatever it raises ends the container."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args", default="{}")
    args, beam_args = parser.parse_known_args(arguments)
    logging.basicConfig()
    for name in OURS:  # absl, whose level TFX sets, is not their parent
        logging.getLogger(name).setLevel(logging.INFO)
    given = json.loads(args.json_serialized_invocation_args)
    invocation, urls = prepare(given, json.loads(args.json_serialized_inputs_spec_args))
    args.json_serialized_invocation_args = json.dumps(invocation)
    elsewhere = _works_elsewhere(args.executor_class_path, beam_args)
    if elsewhere:
        args.json_serialized_invocation_args = json.dumps(as_urls(invocation, urls))

    properties = invocation["inputs"]["parameterValues"]

    # TensorFlow comes with these.
    from tfx.dsl.io import fileio
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor
    from tfx.orchestration.kubeflow.v2.file_based_example_gen import driver

    from components import object_stores  # s3:// and minio://, for TFX's fileio

    try:
        if "input_config" in properties:
            driver.main(args)
        kubeflow_v2_run_executor.main((args, beam_args))
    except KwsError as error:
        # The log's last line is what its reader sees first.
        traceback.print_exc()
        raise SystemExit(f"{args.executor_class_path}: {error}") from error
    for artifact in _artifacts(invocation["outputs"]):
        if elsewhere:
            object_stores.remove_folder_markers(urls[artifact["uri"]])
        if not fileio.exists(artifact["uri"]):
            fileio.makedirs(artifact["uri"])
    restore(invocation["outputs"]["outputFile"], urls)


def prepare(
    invocation: dict[str, Any], inputs_spec: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """An ExecutorInput as the executor is to see it, and local path -> URL of its artifacts.

    Args:
      invocation: as Kubeflow's driver filled it in.
      inputs_spec: the component's `inputDefinitions`.
    """
    changed = json.loads(json.dumps(invocation))
    inputs = changed.get("inputs", {})
    inputs["parameterValues"] = run_parameters.apply(inputs.get("parameterValues", {}))
    changed["inputs"] = inputs
    for key, defined in inputs_spec.get("artifacts", {}).items():
        for artifact in inputs.get("artifacts", {}).get(key, {}).get("artifacts", []):
            artifact["type"] = defined["artifactType"]
            # TFX makes ids of names, which without ML Metadata are output keys: two models have
            # one name.
            artifact["name"] = artifact.get("artifactId") or artifact.get("name", "")
    outputs = changed.setdefault("outputs", {})
    outputs["artifacts"] = {
        key: made
        for key, made in outputs.get("artifacts", {}).items()
        if all(artifact["type"].get("instanceSchema") for artifact in made["artifacts"])
    }
    urls: dict[str, str] = {}
    for artifact in _artifacts(inputs) + _artifacts(outputs):
        local = _local(artifact["uri"])
        urls[local] = artifact["uri"]
        artifact["uri"] = local
    return changed, urls


def as_urls(invocation: dict[str, Any], urls: dict[str, str]) -> dict[str, Any]:
    """What `prepare` gave, with the URLs: Beam's workers on other machines have no local copies."""
    changed = json.loads(json.dumps(invocation))
    for part in ("inputs", "outputs"):
        for artifact in _artifacts(changed.get(part, {})):
            artifact["uri"] = urls.get(artifact["uri"], artifact["uri"])
    return changed


def restore(output_file: str, urls: dict[str, str]) -> None:
    """Writes the artifacts' URLs back into what the executor reported, properties included.

    Args:
      output_file: of the report: a path, or on Vertex AI a URL.
      urls: local path -> URL.
    """
    from tfx.dsl.io import fileio

    with fileio.open(output_file) as file:
        output = json.loads(file.read())
    for artifact in _artifacts(output):
        artifact["uri"] = urls.get(artifact["uri"], artifact["uri"])
        # Blessings name the model that they are of.
        for key, value in artifact.get("metadata", {}).items():
            if isinstance(value, str):
                artifact["metadata"][key] = urls.get(value, value)
    with fileio.open(output_file, "w") as file:
        file.write(json.dumps(output))


def _artifacts(part: dict[str, Any]) -> list[dict[str, Any]]:
    lists = part.get("artifacts", {}).values()
    return [artifact for some in lists for artifact in some.get("artifacts", [])]


def _works_elsewhere(executor_class_path: str, beam_args: Sequence[str]) -> bool:
    """Whether it is an executor of Beam pipelines, and their workers are on other machines."""
    from components.beam_args import is_elsewhere

    if not is_elsewhere(beam_args):
        return False
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor

    module, _, name = executor_class_path.rpartition(".")
    return issubclass(getattr(importlib.import_module(module), name), BaseBeamExecutor)


def _local(uri: str) -> str:
    for scheme, folder in MOUNTS.items():
        if uri.startswith(scheme):
            return folder + uri.removeprefix(scheme)
    return uri


if __name__ == "__main__":
    main(sys.argv[1:])
