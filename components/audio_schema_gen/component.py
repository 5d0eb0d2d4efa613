"""AudioSchemaGen: the schema of the audio examples, written where the pipeline runs."""

import json
from collections.abc import Sequence
from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.audio_schema_gen import executor
from kws.corpus.params import IngestParams, ValidationParams


class AudioSchemaGenSpec(ComponentSpec):
    """Properties and output of AudioSchemaGen."""

    PARAMETERS: ClassVar = {
        "keywords": ExecutionParameter(type=str),
        "ingest_params": ExecutionParameter(type=str),
        "validation_params": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {}
    OUTPUTS: ClassVar = {"schema": ChannelParameter(type=standard_artifacts.Schema)}


class AudioSchemaGen(base_component.BaseComponent):
    """Writes `schemas.audio_schema` of a configuration.

    Locally TFX's ImportSchemaGen copies a file that was written before the run; a container of a
    cluster has no such file.

    Component `outputs` contains:
     - `schema`: Channel of type `standard_artifacts.Schema` with `schema.pbtxt`.
    """

    SPEC_CLASS = AudioSchemaGenSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(self, keywords: Sequence[str], ingest: IngestParams, validation: ValidationParams):
        """Makes the component; the arguments are those of `schemas.audio_schema`."""
        super().__init__(
            spec=AudioSchemaGenSpec(
                keywords=json.dumps(list(keywords)),
                ingest_params=ingest.to_json(),
                validation_params=validation.to_json(),
                schema=types.Channel(type=standard_artifacts.Schema),
            )
        )
