"""What a run looks up of the runs before it, and how: the one thing that a place to run changes.

On this machine it asks ML Metadata, by resolvers (`MetadataHistory`); a run that goes on from
another one takes that one's model and data (`BaseRunHistory`). On Kubeflow there are no resolvers
(`pipeline.runners.kubeflow.tasks`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import tfx.v1 as tfx
from tfx import types
from tfx.dsl.components.base import base_node
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.channel_utils import union

import schemas
from components.artifacts import AudioStreams, StreamingEvaluation
from components.baseline.in_service import in_service_resolver
from components.baseline.strategy import baseline_resolver
from components.registry.component import RegistryKeeper, RegistryLookup
from components.warm_start.strategy import base_model_resolver
from kws.models.params import ModelParams
from kws.splits import SPLITS
from kws.training.params import TrainingParams
from pipeline.config import Config
from pipeline.paths import Paths
from pipeline.runs.run_artifacts import Parents

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


class BaseData(NamedTuple):
    """The data of the run that this one goes on from.

    Attributes:
      nodes: that fill the channels.
      features, audio, streams: of its splits.
      info: what its model card says.
    """

    nodes: list[base_node.BaseNode]
    features: Channel
    audio: Channel
    streams: Channel
    info: dict[str, Any]


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

    def base_data(self) -> BaseData | None:
        """What is replayed and what judges, where this run goes on from another one."""

    def together(self, channels: Sequence[Channel]) -> Examples:
        """Examples of several origins as one input."""


class MetadataHistory:
    """Asks ML Metadata, by the resolvers of `components`."""

    def __init__(self, config: Config, paths: Paths):
        self._config = config
        self._paths = paths
        self.destination = config.destination or str(paths.bundles)

    def schema(self) -> Found:
        config = self._config
        file = schemas.write_audio_schema(
            self._paths.schemas, list(config.keywords), config.ingest, config.validation
        )
        node = tfx.components.ImportSchemaGen(schema_file=str(file))
        return Found([node], node.outputs["schema"])

    def previous_statistics(self, current: Channel) -> Found:
        node = RegistryLookup(self.destination, current=current).with_id("PreviousStatistics")
        return Found([node], node.outputs["statistics"])

    def keep_statistics(self, accepted: Channel, anomalies: Channel) -> list[base_node.BaseNode]:
        node = RegistryKeeper(self.destination, statistics=accepted, anomalies=anomalies)
        return [node.with_id("StatisticsKeeper")]

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

    def base_data(self) -> BaseData | None:
        return None

    def together(self, channels: Sequence[Channel]) -> Examples:
        return Examples(union(list(channels)))


class BaseRunHistory(MetadataHistory):
    """Imports model and data of the run that this one goes on from.

    They lie in that run's folder, and its ML Metadata is another one: so they are not resolved.
    """

    def __init__(self, config: Config, paths: Paths, parents: Parents):
        super().__init__(config, paths)
        self._parents = parents

    def base_model(self, examples: Channel, model: ModelParams, training: TrainingParams) -> Found:
        node = _imported("BaseModel", standard_artifacts.Model, self._parents.float_model.parent)
        return Found([node], node.outputs["result"])

    def in_service(self, candidate: Channel, on_clips: bool) -> InService:
        model = _imported("Baseline", standard_artifacts.Model, self._parents.int8_model.parent)
        evaluation = _imported("InService", StreamingEvaluation, self._parents.evaluation)
        served = model.outputs["result"]
        return InService([model, evaluation], served, served, evaluation.outputs["result"])

    def base_data(self) -> BaseData | None:
        found, kind = self._parents, standard_artifacts.Examples
        features = _imported("BaseFeatures", kind, found.features)
        audio = _imported("BaseAudio", kind, found.audio)
        streams = _imported("BaseStreams", AudioStreams, found.streams)
        return BaseData(
            [features, audio, streams],
            features.outputs["result"],
            audio.outputs["result"],
            streams.outputs["result"],
            found.info,
        )


def _imported(name: str, kind: type[types.Artifact], folder: Path) -> tfx.dsl.Importer:
    """An artifact that another run made, as it lies there."""
    # By the version TFX knows how the folders in an artifact are named.
    custom: dict[str, Any] = {
        artifact_utils.ARTIFACT_TFX_VERSION_CUSTOM_PROPERTY_KEY: tfx.__version__
    }
    properties: dict[str, str | int] = {}
    if kind is standard_artifacts.Examples:
        properties = {"split_names": artifact_utils.encode_split_names(list(SPLITS))}
        custom |= {"payload_format": "FORMAT_TF_EXAMPLE", "file_format": "tfrecords_gzip"}
    return tfx.dsl.Importer(
        source_uri=str(folder), artifact_type=kind, properties=properties, custom_properties=custom
    ).with_id(name)
