"""MicroValidator: TensorFlow Lite Micro's own interpreter has the last word on the int8 file."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import AudioStreams
from components.micro_validator import executor
from kws.detection.params import DetectorParams
from kws.export.params import BudgetParams


class MicroValidatorSpec(ComponentSpec):
    """Inputs, outputs and properties of the MicroValidator."""

    PARAMETERS: ClassVar = {
        "params": ExecutionParameter(type=str),
        "detector": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "streams": ChannelParameter(type=AudioStreams, optional=True),
    }
    OUTPUTS: ClassVar = {"blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)}


class MicroValidator(base_component.BaseComponent):
    """Runs the model in TFLM, compares it with TFLite, measures its arena, lists its operators.

    Component `outputs` contains:

     - `blessing`: `gates.json` (flash, arena, operators allowed, TFLM against TFLite on
       clips and on a stream), `micro.json` (the figures), a marker `INFRA_BLESSED` or
       `INFRA_NOT_BLESSED` as TFX's InfraValidator writes; the custom property `blessed` is 1 or
       0, and `reasons` holds one sentence for each gate that failed.

    A model that is not blessed does not fail the component; one that TFLM cannot run at all does.
    """

    SPEC_CLASS = MicroValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        params: BudgetParams | None = None,
        streams: types.BaseChannel | None = None,
        detector: DetectorParams | None = None,
    ):
        """Makes the component.

        Args:
          model: MicroConverter's Model.
          examples: feature Examples; test vectors are clips of the test split.
          params: the device's budgets.
          streams: AudioStreams; TFLM and TFLite are compared on those of the eval split too.
          detector: how often the model runs over them, and how posteriors become detections.
        """
        optional = {} if streams is None else {"streams": streams}
        super().__init__(
            spec=MicroValidatorSpec(
                model=model,
                examples=examples,
                params=(params or BudgetParams()).to_json(),
                detector=(detector or DetectorParams()).to_json(),
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
                **optional,
            )
        )
