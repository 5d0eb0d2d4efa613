"""NewData: is there anything that was not judged before?"""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.new_data import executor


class NewDataSpec(ComponentSpec):
    """Properties and outputs of NewData."""

    PARAMETERS: ClassVar = {
        "input_base": ExecutionParameter(type=str),
        "span_folder": ExecutionParameter(type=str),
        "last_spans": ExecutionParameter(type=int),
        "settings": ExecutionParameter(type=str),
        "destination": ExecutionParameter(type=str),
        "force": ExecutionParameter(type=int),
    }
    INPUTS: ClassVar = {}
    OUTPUTS: ClassVar = {
        "new": ChannelParameter(type=standard_artifacts.String),
        "fingerprint": ChannelParameter(type=standard_artifacts.String),
    }


class NewData(base_component.BaseComponent):
    """The first task of a scheduled retraining on Kubeflow; the others run if it says so.

    It stands where `kws retrain` asks its record (`pipeline.retraining`). What it looks at changes
    by itself, so no cache may answer for it.

    Component `outputs` contains:
     - `new`: `standard_artifacts.String`, "true" or "false"; the compiled specification makes it
       the condition of all tasks that have nothing else to wait for
       (`pipeline.runners.kubeflow.tasks`).
     - `fingerprint`: `standard_artifacts.String`, for the RegistryKeeper.
    """

    SPEC_CLASS = NewDataSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        input_base: str,
        settings: str,
        destination: str,
        span_folder: str = "",
        last_spans: int = 1,
        force: bool = False,
    ):
        """Makes the component.

        Args:
          input_base, span_folder, last_spans: as AudioExampleGen's.
          settings: whatever else says what would come out; only its equality counts.
          destination: of the bundles, with the verdicts in its registry.
          force: say "true" in any case.
        """
        super().__init__(
            spec=NewDataSpec(
                input_base=input_base,
                span_folder=span_folder,
                last_spans=last_spans,
                settings=settings,
                destination=destination,
                force=int(force),
                new=types.Channel(type=standard_artifacts.String),
                fingerprint=types.Channel(type=standard_artifacts.String),
            )
        )
