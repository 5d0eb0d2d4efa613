"""StrictExampleValidator: TFX's ExampleValidator, which stops the run at an anomaly."""

import json
from collections.abc import Sequence
from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.example_validator import executor
from kws.corpus.params import ValidationParams


class StrictExampleValidatorSpec(ComponentSpec):
    """Inputs, outputs and properties; names as in TFX's ExampleValidatorSpec."""

    PARAMETERS: ClassVar = {
        "params": ExecutionParameter(type=str),
        "keywords": ExecutionParameter(type=str),
        "report_file": ExecutionParameter(type=str, optional=True),
        "exclude_splits": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar = {
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "previous_statistics": ChannelParameter(
            type=standard_artifacts.ExampleStatistics, optional=True
        ),
    }
    OUTPUTS: ClassVar = {"anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies)}


class StrictExampleValidator(base_component.BaseComponent):
    """Holds statistics against the schema, the rules on labels (`schemas/rules.py`) and each other.

    Component `outputs` contains:

     - `anomalies`: as TFX's ExampleValidator writes them, a `SchemaDiff.pb` a split. Custom
       properties: `drift` and `skew`, JSON lists of every distance measured (see
       `components.example_validator.shift.Shift`).

    Any anomaly fails the component: the error names split, feature, number of clips and three of
    them, and `report_file` lists the clips. Drift (train against train of the previous span) and
    skew (eval and test against train) are logged, with a warning where they are above their limit,
    and fail the component if their mode is `gate`.
    """

    SPEC_CLASS = StrictExampleValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        statistics: types.BaseChannel,
        schema: types.BaseChannel,
        keywords: Sequence[str],
        params: ValidationParams | None = None,
        examples: types.BaseChannel | None = None,
        previous_statistics: types.BaseChannel | None = None,
        report_file: str | None = None,
    ):
        """Makes the component.

        Args:
          statistics: of train, eval and test, sliced (`components.statistics.options`).
          schema: `schemas.audio_schema`.
          keywords: whose clips the rules count.
          params: bounds and modes.
          examples: what the statistics are of; read only to name the clips of an anomaly.
          previous_statistics: what drift is measured from; the channel may be empty.
          report_file: where the clips of anomalies are listed if the component fails, as its
            artifact is deleted then.
        """
        super().__init__(
            spec=StrictExampleValidatorSpec(
                statistics=statistics,
                schema=schema,
                examples=examples,
                previous_statistics=previous_statistics,
                params=(params or ValidationParams()).to_json(),
                keywords=json.dumps(list(keywords)),
                report_file=report_file,
                exclude_splits="[]",
                anomalies=types.Channel(type=standard_artifacts.ExampleAnomalies),
            )
        )
