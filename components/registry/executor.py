"""Executors of RegistryLookup and RegistryKeeper, and the driver that looks before a lookup."""

import datetime
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_driver, base_executor
from tfx.dsl.io import fileio
from tfx.orchestration.portable import base_driver as portable_driver
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils, path_utils

from components.streaming_evaluator.last import CASCADE_FILE, DETECTOR_FILE, EVALUATION_FILE
from kws.bundle import publishing
from kws.bundle.destinations import NEEDED
from kws.bundle.manifest import MANIFEST_FILE
from kws.bundle.registry import Registry
from kws.errors import KwsError
from kws.features.params import FRONTEND_FILE, FeatureParams
from kws.runtime.int8_file import FLOAT_IO_FILE, MODEL_FILE
from kws.splits import TRAIN

STATISTICS_FILE = "FeatureStats.pb"
FOUND = "found"
"""Execution property: JSON, by output key what was found, or null."""
VERSION, TRAINING = "version", "training"
"""Custom properties of models."""
_BLOCK = 1 << 20

Artifacts = dict[str, list[types.Artifact]]


class Driver(base_driver.BaseDriver, portable_driver.BaseDriver):
    """Looks before TFX asks its cache, of which the answer becomes part of the key."""

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Adds the property `found`.

        Raises:
          KwsError: the destination's scheme is not known, or it cannot be read.
        """
        found = _look_up(execution_info.input_dict, execution_info.exec_properties)
        output = driver_output_pb2.DriverOutput()
        output.exec_properties[FOUND].string_value = json.dumps(found, sort_keys=True)
        return output


class Lookup(base_executor.BaseExecutor):
    """See `component.RegistryLookup`."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Copies what is found; leaves empty folders where nothing is.

        Raises:
          KwsError: the destination's scheme is not known, it cannot be read, or a place is given
            that holds no model.
        """
        known = exec_properties.get(FOUND)
        found = json.loads(known) if known else _look_up(input_dict, exec_properties)
        given = exec_properties.get("uri") or ""
        registry = Registry(exec_properties["destination"])
        for key, artifacts in output_dict.items():
            artifact = artifact_utils.get_single_instance(artifacts)
            fileio.makedirs(artifact.uri)
            name = "" if given else found[key] or ""
            if isinstance(artifact, standard_artifacts.Model):
                artifact.set_string_custom_property(VERSION, name)
            if TRAINING in found:
                artifact.set_string_custom_property(TRAINING, found[TRAINING])
            logging.info("%s of %s: %s", key, registry.url, given or name or "none")
            if given:
                _copy_given(given, artifact)
            elif name:
                _COPIES[key](registry, name, artifact)


class Keeper(base_executor.BaseExecutor):
    """See `component.RegistryKeeper`."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Writes what there is.

        Raises:
          KwsError: the destination's scheme is not known, or it cannot be written.
        """
        registry = Registry(exec_properties["destination"])
        inputs = {
            key: artifact_utils.get_single_instance(artifacts)
            for key, artifacts in input_dict.items()
            if artifacts
        }
        if "statistics" in inputs:
            statistics = inputs["statistics"]
            registry.keep_statistics(int(statistics.span), _train_statistics(statistics))
        if "pushed_model" in inputs:
            _keep_outcome(registry, inputs)


def _keep_outcome(registry: Registry, inputs: dict[str, types.Artifact]) -> None:
    """The float model of what was pushed first, so that a verdict never lacks it."""
    pushed = inputs["pushed_model"]
    version = pushed.get_string_custom_property("pushed_version")
    if version:
        base = inputs.get("base_model")
        training = base.get_string_custom_property(TRAINING) if base is not None else ""
        with tempfile.TemporaryDirectory(prefix="kws-float-model-") as folder:
            io_utils.copy_dir(path_utils.serving_model_dir(inputs["float_model"].uri), folder)
            registry.keep_float_model(version, Path(folder), training)
    if "fingerprint" in inputs:
        now = datetime.datetime.now(datetime.timezone.utc)
        verdict = {
            "verdict": "pushed" if version else "refused",
            "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "version": version,
            "missing_blessings": pushed.get_string_custom_property("missing_blessings"),
        }
        registry.keep_verdict(inputs["fingerprint"].read(), verdict)
        logging.info("RegistryKeeper: %s", verdict)


def _look_up(input_dict: Artifacts, exec_properties: dict[str, Any]) -> dict[str, str | None]:
    """By output key, what `_COPIES` copies; None where there is nothing."""
    registry = Registry(exec_properties["destination"])
    if input_dict.get("current"):
        current = artifact_utils.get_single_instance(input_dict["current"])
        name = registry.previous_statistics(int(current.span), _train_statistics(current))
        return {"statistics": name}
    if input_dict.get("examples"):
        uri = artifact_utils.get_single_uri(input_dict["examples"])
        training = _digest(uri, exec_properties.get("settings") or "")
        return {"float_model": registry.base_version(training), TRAINING: training}
    serving = path_utils.serving_model_path(artifact_utils.get_single_uri(input_dict["candidate"]))
    candidate = _read(os.path.join(serving, MODEL_FILE))
    features = FeatureParams.from_json(_read(os.path.join(serving, FRONTEND_FILE)))
    last = registry.last_model(candidate)
    return {
        "model": last,
        "evaluation": last,
        "baseline": registry.last_model(candidate, features),
    }


def _digest(uri: str, settings: str) -> str:
    """32 hex digits over the settings, and over names and content of all files in a folder."""
    digest = hashlib.blake2b(settings.encode(), digest_size=16)
    folders = [(folder, names) for folder, _, names in fileio.walk(uri)]
    for path in sorted(os.path.join(folder, name) for folder, names in folders for name in names):
        content = hashlib.blake2b(digest_size=16)
        with fileio.open(path, "rb") as file:
            while block := file.read(_BLOCK):
                content.update(block)
        digest.update(f"\n{path[len(uri) :]}\0{content.hexdigest()}".encode())
    return digest.hexdigest()


def _copy_statistics(registry: Registry, name: str, artifact: types.Artifact) -> None:
    span, content = registry.statistics(name)
    artifact.split_names = artifact_utils.encode_split_names([TRAIN])
    artifact.span = span
    folder = artifact_utils.get_split_uri([artifact], TRAIN)
    fileio.makedirs(folder)
    with fileio.open(os.path.join(folder, STATISTICS_FILE), "wb") as file:
        file.write(content)


def _copy_bundle(registry: Registry, version: str, artifact: types.Artifact) -> None:
    """What a MicroConverter's model has, as far as others than its own run read it."""
    target = path_utils.serving_model_dir(artifact.uri)
    fileio.makedirs(target)
    with registry.bundle(version) as folder:
        for name in (*NEEDED, FLOAT_IO_FILE, MANIFEST_FILE):
            path = os.path.join(target, name)
            with (folder / name).open("rb") as reader, fileio.open(path, "wb") as writer:
                shutil.copyfileobj(reader, writer)


def _copy_evaluation(registry: Registry, version: str, artifact: types.Artifact) -> None:
    """How the model was judged on streams: its detector, its figures, its first stage."""
    with registry.bundle(version) as folder:
        detector = json.loads((folder / MANIFEST_FILE).read_text())["detector"]
        judged = json.loads((folder / publishing.EVALUATION_FILE).read_text())["streaming"]
    contents = {DETECTOR_FILE: detector, EVALUATION_FILE: judged}
    if "cascade" in judged:
        contents[CASCADE_FILE] = judged["cascade"]["params"]
    for name, content in contents.items():
        with fileio.open(os.path.join(artifact.uri, name), "w") as file:
            file.write(json.dumps(content))


def _copy_float_model(registry: Registry, version: str, artifact: types.Artifact) -> None:
    with registry.float_model(version) as folder:
        io_utils.copy_dir(str(folder), path_utils.serving_model_dir(artifact.uri))


def _copy_given(uri: str, artifact: types.Artifact) -> None:
    """A Trainer's model, from where a run left it."""
    source = path_utils.serving_model_dir(uri)
    if not fileio.isdir(source):
        raise KwsError(
            f"base_model={uri} holds no Format-Serving",
            hint="give the artifact `model` of a Trainer, as the run's page shows it",
        )
    io_utils.copy_dir(source, path_utils.serving_model_dir(artifact.uri))


_COPIES: dict[str, Callable[[Registry, str, types.Artifact], None]] = {
    "statistics": _copy_statistics,
    "float_model": _copy_float_model,
    "model": _copy_bundle,
    "evaluation": _copy_evaluation,
    "baseline": _copy_bundle,
}


def _train_statistics(statistics: types.Artifact) -> bytes:
    folder = artifact_utils.get_split_uri([statistics], TRAIN)
    return _read(os.path.join(folder, STATISTICS_FILE))


def _read(path: str) -> bytes:
    with fileio.open(path, "rb") as file:
        return file.read()
