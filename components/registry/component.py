"""RegistryLookup and RegistryKeeper: what a run finds of earlier runs, and what it leaves for later
ones, at the destination that bundles are pushed to (`kws.bundle.registry`)."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import StreamingEvaluation
from components.registry import executor


class RegistryLookupSpec(ComponentSpec):
    """Inputs, outputs and properties of RegistryLookup."""

    PARAMETERS: ClassVar = {
        "destination": ExecutionParameter(type=str),
        "settings": ExecutionParameter(type=str, optional=True),
        "uri": ExecutionParameter(type=str, optional=True),
        "found": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar = {
        "current": ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
        "examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "candidate": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS: ClassVar = {
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
        "float_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "evaluation": ChannelParameter(type=StreamingEvaluation, optional=True),
        "baseline": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }


class RegistryLookup(base_component.BaseComponent):
    """Finds what a component has to be compared with, or starts from, and copies it.

    Give one of the inputs; it decides which outputs there are. Each is an empty folder if there
    is nothing to find, as before the first push. Nothing that this very run made is found, if it
    ran before (see `kws.bundle.registry`).

    What is found changes while inputs and properties stay the same. On this machine a driver
    looks first and adds the answer to the properties, so TFX's cache gives the same artifacts again
    as long as the answer is the same. Kubeflow runs no drivers: there no cache may answer for it.

    Component `outputs` contains:
     - for `current`: `statistics`, the last ones accepted before, with the split train alone, which
       is what drift is measured on.
     - for `examples`: `float_model`, the one behind the model in service, as a Trainer's. Custom
       property `training`: the digest of the data and settings of the training to come.
     - for `candidate`: `model`, the last in service, and `evaluation`, with its detector.
       `baseline`, the last in service of the same features: on clips no other can be compared. All
       models are in `Format-Serving` as a MicroConverter's.

    Models have the custom property `version`: of the bundle, "" for none.
    """

    SPEC_CLASS = RegistryLookupSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Lookup)
    DRIVER_CLASS = executor.Driver

    def __init__(
        self,
        destination: str,
        *,
        current: types.BaseChannel | None = None,
        examples: types.BaseChannel | None = None,
        settings: str = "",
        candidate: types.BaseChannel | None = None,
    ):
        """Makes the component.

        Args:
          destination: folder of the versions, or the URL of a bucket, as MicroPusher's.
          current: statistics of the data to be validated.
          examples: feature examples of the training to come.
          settings: of that training; only their equality counts.
          candidate: MicroConverter's model.

        Raises:
          ValueError: not exactly one input is given.
        """
        if sum(given is not None for given in (current, examples, candidate)) != 1:
            raise ValueError("give one of current, examples and candidate")
        optional: dict[str, object] = {}
        if current is not None:
            outputs = {"statistics": standard_artifacts.ExampleStatistics}
        elif examples is not None:
            outputs = {"float_model": standard_artifacts.Model}
            optional = {"settings": settings, "uri": ""}
        else:
            outputs = {
                "model": standard_artifacts.Model,
                "evaluation": StreamingEvaluation,
                "baseline": standard_artifacts.Model,
            }
        super().__init__(
            spec=RegistryLookupSpec(
                destination=destination,
                current=current,
                examples=examples,
                candidate=candidate,
                **optional,
                **{key: types.Channel(type=kind) for key, kind in outputs.items()},
            )
        )


class RegistryKeeperSpec(ComponentSpec):
    """Inputs and properties of RegistryKeeper."""

    PARAMETERS: ClassVar = {"destination": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies, optional=True),
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel, optional=True),
        "float_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "base_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "fingerprint": ChannelParameter(type=standard_artifacts.String, optional=True),
    }
    OUTPUTS: ClassVar = {}


class RegistryKeeper(base_component.BaseComponent):
    """Keeps what later runs look up: accepted statistics, the float model of what was pushed, and
    the verdict of a retraining.

    A retraining that fails before it keeps no verdict, so the next one tries again; one whose model
    was refused keeps that, so that it is not tried again.
    """

    SPEC_CLASS = RegistryKeeperSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Keeper)

    def __init__(
        self,
        destination: str,
        *,
        statistics: types.BaseChannel | None = None,
        anomalies: types.BaseChannel | None = None,
        pushed_model: types.BaseChannel | None = None,
        float_model: types.BaseChannel | None = None,
        base_model: types.BaseChannel | None = None,
        fingerprint: types.BaseChannel | None = None,
    ):
        """Makes the component.

        Args:
          destination: folder of the versions, or the URL of a bucket, as MicroPusher's.
          statistics: of StatisticsGen.
          anomalies: of StrictExampleValidator, which says that they were accepted: without its
            output this does not run.
          pushed_model: of MicroPusher, pushed or not.
          float_model: of the Trainer, of which the pushed model was made.
          base_model: of RegistryLookup, where the training asked for one: it says by which digest
            the same training would recognise its own model.
          fingerprint: of NewData; without it no verdict is kept.
        """
        super().__init__(
            spec=RegistryKeeperSpec(
                destination=destination,
                statistics=statistics,
                anomalies=anomalies,
                pushed_model=pushed_model,
                float_model=float_model,
                base_model=base_model,
                fingerprint=fingerprint,
            )
        )
