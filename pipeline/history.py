"""What a run looks up of the runs before it, and how: the one thing that a place to run changes.

On this machine it asks ML Metadata, by resolvers (`MetadataHistory`). On Kubeflow there are none
(`pipeline.kubeflow_history`).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import tfx.v1 as tfx
from tfx import types
from tfx.dsl.components.base import base_node
from tfx.types.channel_utils import union

import schemas
from components.baseline.in_service import in_service_resolver
from components.baseline.strategy import baseline_resolver
from components.example_validator.previous import previous_statistics_resolver
from components.warm_start.strategy import base_model_resolver
from kws.models.params import ModelParams
from kws.training.params import TrainingParams
from pipeline.config import Config
from pipeline.paths import Paths

Channel = types.BaseChannel


class InService(NamedTuple):
    """The last model that was judged good, by whom it is compared with.

    Attributes:
      baseline: on clips; None where nothing is compared.
      model, evaluation: on streams, with its detector.
    """

    nodes: list[base_node.BaseNode]
    baseline: Channel | None
    model: Channel
    evaluation: Channel


class Found(NamedTuple):
    """One channel, and the nodes that fill it."""

    nodes: list[base_node.BaseNode]
    channel: Channel


class Examples(NamedTuple):
    """Arguments of a component that takes examples of several origins."""

    examples: Channel
    more_examples: Sequence[Channel] = ()


class History(Protocol):
    """The places where a pipeline looks outside itself."""

    def schema(self) -> Found:
        """The schema of the audio examples."""

    def previous_statistics(self, current: Channel) -> Found:
        """What drift is measured from; may come out empty."""

    def keep_statistics(self, accepted: Channel, anomalies: Channel) -> list[base_node.BaseNode]:
        """Keeps what the validator accepted, for `previous_statistics` of runs to come."""

    def base_model(self, examples: Channel, model: ModelParams, training: TrainingParams) -> Found:
        """The float model that a training starts from; may come out empty."""

    def in_service(self, candidate: Channel, on_clips: bool) -> InService:
        """What the candidate must not be worse than; may come out empty."""

    def together(self, channels: Sequence[Channel]) -> Examples:
        """Examples of several origins as one input."""


class MetadataHistory:
    """Asks ML Metadata, by the resolvers of `components`."""

    def __init__(self, config: Config, paths: Paths):
        self._config = config
        self._paths = paths

    def schema(self) -> Found:
        config = self._config
        file = schemas.write_audio_schema(
            self._paths.schemas, list(config.keywords), config.ingest, config.validation
        )
        node = tfx.components.ImportSchemaGen(schema_file=str(file))
        return Found([node], node.outputs["schema"])

    def previous_statistics(self, current: Channel) -> Found:
        node = previous_statistics_resolver(current=current)
        return Found([node], node.outputs["statistics"])

    def keep_statistics(self, accepted: Channel, anomalies: Channel) -> list[base_node.BaseNode]:
        return []  # ML Metadata has them

    def base_model(self, examples: Channel, model: ModelParams, training: TrainingParams) -> Found:
        node = base_model_resolver(examples, model, training)
        return Found([node], node.outputs["model"])

    def in_service(self, candidate: Channel, on_clips: bool) -> InService:
        served = in_service_resolver(candidate=candidate)
        model, evaluation = served.outputs["model"], served.outputs["evaluation"]
        if not on_clips:
            return InService([served], None, model, evaluation)
        baseline = baseline_resolver(candidate=candidate)
        return InService([baseline, served], baseline.outputs["model"], model, evaluation)

    def together(self, channels: Sequence[Channel]) -> Examples:
        return Examples(union(list(channels)))
