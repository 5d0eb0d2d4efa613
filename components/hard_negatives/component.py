"""HardNegativeMiner: what a first model wrongly accepts becomes what a second learns from."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import AudioStreams
from components.hard_negatives import executor
from kws.detection.params import DetectorParams, MatchParams


class HardNegativeMinerSpec(ComponentSpec):
    """Inputs, outputs and properties of the HardNegativeMiner."""

    PARAMETERS: ClassVar = {
        "detector": ExecutionParameter(type=str),
        "match": ExecutionParameter(type=str),
        "max_examples": ExecutionParameter(type=int),
    }
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "streams": ChannelParameter(type=AudioStreams),
    }
    OUTPUTS: ClassVar = {"examples": ChannelParameter(type=standard_artifacts.Examples)}


class HardNegativeMiner(base_component.BaseComponent):
    """Runs a float model over the train streams and keeps the windows that it wrongly accepts.

    Component `outputs` contains:

     - `examples`: Channel of type `standard_artifacts.Examples`: feature examples
       (`kws.features.example`) in split train, with the label that is right (see
       `kws.training.mining`) and "mined" for `source` and `augmentation`; split eval is there and
       empty, so that they can be trained on beside the other feature examples. Beside them lie
       `frontend.json`, `labels.txt` and `mined.json`: how many of each label, which words were
       taken for which keyword, in how many hours. Custom property `mined` is their number.
    """

    SPEC_CLASS = HardNegativeMinerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        streams: types.BaseChannel,
        detector: DetectorParams,
        match: MatchParams,
        max_examples: int,
    ):
        """Makes the component.

        Args:
          model: the Trainer's float Model.
          streams: of AudioSynthesizer, with split train.
          detector: as for evaluation, with the threshold at which false accepts are looked for.
          match: when a detection counts as a hit.
          max_examples: the hardest ones are kept.
        """
        super().__init__(
            spec=HardNegativeMinerSpec(
                model=model,
                streams=streams,
                detector=detector.to_json(),
                match=match.to_json(),
                max_examples=max_examples,
                examples=types.Channel(type=standard_artifacts.Examples),
            )
        )
