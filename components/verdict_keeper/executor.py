"""VerdictKeeper's executor."""

import datetime
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.new_data import judged


class Executor(base_executor.BaseExecutor):
    """See `component.VerdictKeeper`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Copies the float model of what was pushed first, so that a verdict never lacks it."""
        folder = exec_properties["folder"]
        pushed = artifact_utils.get_single_instance(input_dict["pushed_model"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        fingerprint = artifact_utils.get_single_instance(input_dict["fingerprint"]).read()
        accepted = pushed.get_int_custom_property("pushed") == 1
        version = pushed.get_string_custom_property("pushed_version") if accepted else ""
        if version:
            target = path_utils.serving_model_dir(judged.model_folder(folder, version))
            if fileio.isdir(target):
                fileio.rmtree(target)
            io_utils.copy_dir(path_utils.serving_model_dir(model.uri), target)
        now = datetime.datetime.now(datetime.timezone.utc)
        verdict = {
            "verdict": "pushed" if accepted else "refused",
            "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "version": version,
            "missing_blessings": pushed.get_string_custom_property("missing_blessings"),
        }
        judged.write(folder, fingerprint, verdict)
        logging.info("VerdictKeeper: %s", verdict)
