"""ServedModel's executor: copies the served bundle's model and detector into artifacts."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.streaming_evaluator.last import DETECTOR_FILE, EVALUATION_FILE
from kws.bundle import publishing
from kws.bundle.destinations import NEEDED, open_destination
from kws.bundle.manifest import MANIFEST_FILE
from kws.runtime.int8_file import FLOAT_IO_FILE

VERSION = "version"
"""Custom property of the model."""


class Executor(base_executor.BaseExecutor):
    """See `component.ServedModel`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Copies what is served; leaves empty folders where nothing is.

        Raises:
          KwsError: the destination's scheme is not known, or it cannot be read.
        """
        model = artifact_utils.get_single_instance(output_dict["model"])
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        for artifact in (model, evaluation):
            fileio.makedirs(artifact.uri)
        destination = open_destination(exec_properties["destination"])
        version = destination.served() if destination.exists() else None
        model.set_string_custom_property(VERSION, version or "")
        if version is None:
            logging.info("ServedModel: %s serves nothing yet", destination.url)
            return
        target = path_utils.serving_model_dir(model.uri)
        fileio.makedirs(target)
        with destination.fetched(version) as folder:
            for name in (*NEEDED, FLOAT_IO_FILE, MANIFEST_FILE):
                _copy(folder / name, os.path.join(target, name))
            detector = json.loads((folder / MANIFEST_FILE).read_text())["detector"]
            judged = json.loads((folder / publishing.EVALUATION_FILE).read_text())["streaming"]
        for name, content in ((DETECTOR_FILE, detector), (EVALUATION_FILE, judged)):
            with fileio.open(os.path.join(evaluation.uri, name), "w") as file:
                file.write(json.dumps(content))
        logging.info("ServedModel: version %s of %s", version, destination.url)


def _copy(source: Path, target: str) -> None:
    with source.open("rb") as reader, fileio.open(target, "wb") as writer:
        shutil.copyfileobj(reader, writer)
