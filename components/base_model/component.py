"""BaseModel: a trained model by its place, for a training to start from, or none."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.base_model import executor


class BaseModelSpec(ComponentSpec):
    """Property and output of BaseModel."""

    PARAMETERS: ClassVar = {"uri": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {}
    OUTPUTS: ClassVar = {"model": ChannelParameter(type=standard_artifacts.Model)}


class BaseModel(base_component.BaseComponent):
    """Copies a Trainer's model from where a run left it.

    TFX's Importer would do for a place; it cannot say that there is none. It stands where the
    local pipeline asks ML Metadata for the parent of the last blessed model
    (`components.warm_start`): a bundle holds no float model to start from.

    Component `outputs` contains:
     - `model`: Channel of type `standard_artifacts.Model`, as a Trainer's; empty for none.
    """

    SPEC_CLASS = BaseModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(self, uri: str):
        """Makes the component.

        Args:
          uri: the Trainer's artifact `model`, which holds `Format-Serving`; "" for none.
        """
        super().__init__(
            spec=BaseModelSpec(uri=uri, model=types.Channel(type=standard_artifacts.Model))
        )
