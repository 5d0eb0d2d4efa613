"""BaseModel: for a training to start from, a trained model by its place, or that of the served
version, or none."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.base_model import executor


class BaseModelSpec(ComponentSpec):
    """Property and output of BaseModel."""

    PARAMETERS: ClassVar = {
        "uri": ExecutionParameter(type=str),
        "destination": ExecutionParameter(type=str),
        "kept": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {}
    OUTPUTS: ClassVar = {"model": ChannelParameter(type=standard_artifacts.Model)}


class BaseModel(base_component.BaseComponent):
    """Copies a Trainer's model from where a run left it, or the one behind what is served.

    TFX's Importer would do for a place; it cannot say that there is none. It stands where the
    local pipeline asks ML Metadata for the parent of the last blessed model
    (`components.warm_start`). A bundle holds no float model to start from; VerdictKeeper keeps
    that of each version. Which version is served says the destination, so a training after a
    rollback starts from what was rolled back to.

    Component `outputs` contains:
     - `model`: Channel of type `standard_artifacts.Model`, as a Trainer's; empty for none.
    """

    SPEC_CLASS = BaseModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(self, uri: str, destination: str = "", kept: str = ""):
        """Makes the component.

        Args:
          uri: the Trainer's artifact `model`, which holds `Format-Serving`; "": the kept model of
            the served version, or none where there is none.
          destination: of the bundles; "": there is none.
          kept: VerdictKeeper's folder; "": nothing is kept.
        """
        super().__init__(
            spec=BaseModelSpec(
                uri=uri,
                destination=destination,
                kept=kept,
                model=types.Channel(type=standard_artifacts.Model),
            )
        )
