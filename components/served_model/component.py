"""ServedModel: the model that a bundle destination serves, for pipelines without ML Metadata."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import StreamingEvaluation
from components.served_model import executor


class ServedModelSpec(ComponentSpec):
    """Properties and outputs of the ServedModel."""

    PARAMETERS: ClassVar = {"destination": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {}
    OUTPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "evaluation": ChannelParameter(type=StreamingEvaluation),
    }


class ServedModel(base_component.BaseComponent):
    """Looks into a bundle destination and hands on what is served there.

    It stands where the local pipeline asks ML Metadata (`components.baseline`): Kubeflow's compiler
    knows none of our resolver strategies, and its open-source server runs no resolver at all. What
    is served was blessed by all judges, or it would not be there, and somebody may have rolled it
    back since: so it is the better answer to "what must a candidate not be worse than".

    It looks at something that changes by itself, so no cache may answer for it.

    Component `outputs` contains:
     - `model`: Channel of type `standard_artifacts.Model`: in `Format-Serving` the int8 file with
       its labels and frontend, as a MicroConverter's. Empty where nothing is served yet. Custom
       property `version`: of the bundle, "" for none.
     - `evaluation`: Channel of type `StreamingEvaluation` with its `detector.json`
       and `evaluation.json` alone.
    """

    SPEC_CLASS = ServedModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(self, destination: str):
        """Makes the component.

        Args:
          destination: folder of the versions, or the URL of a bucket, as MicroPusher's.
        """
        super().__init__(
            spec=ServedModelSpec(
                destination=destination,
                model=types.Channel(type=standard_artifacts.Model),
                evaluation=types.Channel(type=StreamingEvaluation),
            )
        )
