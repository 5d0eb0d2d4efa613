"""AudioSchemaGen's executor."""

import json
import os
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

import schemas
from kws.corpus.params import IngestParams, ValidationParams


class Executor(base_executor.BaseExecutor):
    """See `component.AudioSchemaGen`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the one file."""
        schema = schemas.audio_schema(
            json.loads(exec_properties["keywords"]),
            IngestParams.from_json(exec_properties["ingest_params"]),
            ValidationParams.from_json(exec_properties["validation_params"]),
        )
        folder = artifact_utils.get_single_uri(output_dict["schema"])
        io_utils.write_pbtxt_file(os.path.join(folder, schemas.SCHEMA_FILE), schema)
