"""What a run looks up of earlier runs, and what it keeps for later ones.

The registry at the destination of the bundles has it, for runs on this machine and on Kubeflow
alike (`components.registry`). A run that goes on from another one takes that one's model and data
instead (`BaseRunHistory`).
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import tfx.v1 as tfx
from tfx import types
from tfx.dsl.components.base import base_node
from tfx.types import artifact_utils, standard_artifacts

import schemas
from components.artifacts import AudioStreams, StreamingEvaluation
from components.registry.component import RegistryKeeper, RegistryLookup
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
      baseline: on clips.
      model, evaluation: on streams, with its detector.
    """

    nodes: list[base_node.BaseNode]
    baseline: Channel
    model: Channel
    evaluation: Channel


class Found(NamedTuple):
    """One channel, and the nodes that fill it."""

    nodes: list[base_node.BaseNode]
    channel: Channel


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


class History:
    """Looks up and keeps by the registry at a destination.

    Attributes:
      destination: of the bundles.
      fingerprint: of all that a retraining is made of, for its verdict; None: no verdict is kept.
    """

    def __init__(
        self, config: Config, paths: Paths, destination: str, fingerprint: Channel | None = None
    ):
        self._config = config
        self._paths = paths
        self.destination = destination
        self.fingerprint = fingerprint

    def schema(self) -> Found:
        """The schema of the audio examples."""
        config = self._config
        file = schemas.write_audio_schema(
            self._paths.schemas, list(config.keywords), config.ingest, config.validation
        )
        node = tfx.components.ImportSchemaGen(schema_file=str(file))
        return Found([node], node.outputs["schema"])

    def previous_statistics(self, current: Channel) -> Found:
        """What drift is measured from; may come out empty."""
        node = RegistryLookup(self.destination, current=current).with_id("PreviousStatistics")
        return Found([node], node.outputs["statistics"])

    def keep_statistics(self, accepted: Channel, anomalies: Channel) -> base_node.BaseNode:
        """Keeps what the validator accepted, for `previous_statistics` of runs to come."""
        node = RegistryKeeper(self.destination, statistics=accepted, anomalies=anomalies)
        return node.with_id("StatisticsKeeper")

    def base_model(self, examples: Channel, model: ModelParams, training: TrainingParams) -> Found:
        """The float model that a training starts from; may come out empty."""
        settings = json.dumps({"model": model.to_json(), "training": training.to_json()})
        node = RegistryLookup(self.destination, examples=examples, settings=settings)
        return Found([node.with_id("BaseModel")], node.outputs["float_model"])

    def in_service(self, candidate: Channel) -> InService:
        """What the candidate must not be worse than; may come out empty."""
        node = RegistryLookup(self.destination, candidate=candidate).with_id("ServedModel")
        made = node.outputs
        return InService([node], made["baseline"], made["model"], made["evaluation"])

    def keep_model(
        self, pushed_model: Channel, float_model: Channel, base_model: Channel | None
    ) -> base_node.BaseNode:
        """Keeps the float model behind a pushed bundle, for `base_model` of runs to come."""
        node = RegistryKeeper(
            self.destination,
            pushed_model=pushed_model,
            float_model=float_model,
            base_model=base_model,
            fingerprint=self.fingerprint,
        )
        return node.with_id("ModelKeeper")

    def base_data(self) -> BaseData | None:
        """What is replayed and what judges, where this run goes on from another one."""
        return None


class BaseRunHistory(History):
    """Imports model and data of the run that this one goes on from, from that run's folder."""

    def __init__(self, config: Config, paths: Paths, destination: str, parents: Parents):
        super().__init__(config, paths, destination)
        self._parents = parents

    def base_model(self, examples: Channel, model: ModelParams, training: TrainingParams) -> Found:
        node = _imported("BaseModel", standard_artifacts.Model, self._parents.float_model.parent)
        return Found([node], node.outputs["result"])

    def in_service(self, candidate: Channel) -> InService:
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
