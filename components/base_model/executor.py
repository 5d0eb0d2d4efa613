"""BaseModel's executor."""

from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.new_data import judged
from kws.bundle.destinations import open_destination
from kws.errors import KwsError


class Executor(base_executor.BaseExecutor):
    """See `component.BaseModel`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Copies the serving model.

        Raises:
          KwsError: a place is given and holds no model.
        """
        model = artifact_utils.get_single_instance(output_dict["model"])
        fileio.makedirs(model.uri)
        place = exec_properties.get("uri") or _behind_what_is_served(exec_properties)
        if not place:
            logging.info("BaseModel: none given or served, the training starts from scratch")
            return
        logging.info("BaseModel: %s", place)
        source = path_utils.serving_model_dir(place)
        if not fileio.isdir(source):
            raise KwsError(
                f"base_model={place} holds no Format-Serving",
                hint="give the artifact `model` of a Trainer, as the run's page shows it",
            )
        io_utils.copy_dir(source, path_utils.serving_model_dir(model.uri))


def _behind_what_is_served(exec_properties: dict[str, Any]) -> str:
    """The kept float model of the version that is served; "" where there is none."""
    url, kept = exec_properties.get("destination") or "", exec_properties.get("kept") or ""
    if not (url and kept):
        return ""
    destination = open_destination(url)
    version = destination.served() if destination.exists() else None
    if version is None:
        return ""
    place = judged.model_folder(kept, version)
    if not fileio.isdir(path_utils.serving_model_dir(place)):
        logging.warning("BaseModel: of version %s no float model was kept in %s", version, kept)
        return ""
    return place
