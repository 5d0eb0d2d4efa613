"""The statistics that drift is measured from, kept in a folder between runs."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.kept_statistics import executor


class PreviousStatisticsSpec(ComponentSpec):
    """Inputs, outputs and properties of PreviousStatistics."""

    PARAMETERS: ClassVar = {"folder": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {"current": ChannelParameter(type=standard_artifacts.ExampleStatistics)}
    OUTPUTS: ClassVar = {"statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics)}


class PreviousStatistics(base_component.BaseComponent):
    """Finds the last statistics that were accepted before the current ones.

    It stands where the local pipeline asks ML Metadata
    (`components.example_validator.previous`), with the same preference: those of an earlier span
    first. The folder is written by StatisticsKeeper. No cache may answer for it.

    Component `outputs` contains:
     - `statistics`: Channel of type `standard_artifacts.ExampleStatistics`, with the split train
       alone, which is what drift is measured on; empty where none were kept yet.
    """

    SPEC_CLASS = PreviousStatisticsSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Previous)

    def __init__(self, current: types.BaseChannel, folder: str):
        """Makes the component.

        Args:
          current: of StatisticsGen; its span is looked at.
          folder: where StatisticsKeeper writes: a path or a URL that TensorFlow reads.
        """
        super().__init__(
            spec=PreviousStatisticsSpec(
                current=current,
                folder=folder,
                statistics=types.Channel(type=standard_artifacts.ExampleStatistics),
            )
        )


class StatisticsKeeperSpec(ComponentSpec):
    """Inputs and properties of StatisticsKeeper."""

    PARAMETERS: ClassVar = {"folder": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
    }
    OUTPUTS: ClassVar = {}


class StatisticsKeeper(base_component.BaseComponent):
    """Keeps accepted statistics for the runs to come; those of a span take the place of older ones.

    That they were accepted is said by the validator's output: without it this does not run.
    """

    SPEC_CLASS = StatisticsKeeperSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Keeper)

    def __init__(self, statistics: types.BaseChannel, anomalies: types.BaseChannel, folder: str):
        """Makes the component.

        Args:
          statistics: of StatisticsGen.
          anomalies: of StrictExampleValidator, for the order alone.
          folder: a path or a URL that TensorFlow writes to.
        """
        super().__init__(
            spec=StatisticsKeeperSpec(statistics=statistics, anomalies=anomalies, folder=folder)
        )
