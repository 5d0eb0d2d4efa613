"""VerdictKeeper: keeps what was judged, and the float model of what was pushed."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.verdict_keeper import executor


class VerdictKeeperSpec(ComponentSpec):
    """Inputs and properties of VerdictKeeper."""

    PARAMETERS: ClassVar = {"folder": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "fingerprint": ChannelParameter(type=standard_artifacts.String),
    }
    OUTPUTS: ClassVar = {}


class VerdictKeeper(base_component.BaseComponent):
    """The last task of a retraining on Kubeflow: NewData and BaseModel read what it keeps.

    A run that fails before it keeps nothing, so the next one tries again; one whose model was
    refused keeps that, so that it is not tried again.
    """

    SPEC_CLASS = VerdictKeeperSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        pushed_model: types.BaseChannel,
        model: types.BaseChannel,
        fingerprint: types.BaseChannel,
        folder: str,
    ):
        """Makes the component.

        Args:
          pushed_model: of MicroPusher, pushed or not.
          model: of the Trainer, of which the pushed model was made.
          fingerprint: of NewData.
          folder: a path or a URL that TensorFlow writes to.
        """
        super().__init__(
            spec=VerdictKeeperSpec(
                pushed_model=pushed_model, model=model, fingerprint=fingerprint, folder=folder
            )
        )
