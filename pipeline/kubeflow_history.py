"""What a run on Kubeflow looks up of the runs before it: by components that look into folders.

`KubeflowV2DagRunner` of TFX 1.16 compiles a Resolver only of LatestArtifactStrategy or
LatestBlessedModelStrategy; and the open-source server takes a specification only of containers and
importers, so that even these two would run on Vertex AI alone. So nothing here asks ML Metadata:

- the model in service is what the bundle destination serves;
- the statistics that drift is measured from are kept in a folder of the pipeline root;
- the model that a training starts from is named by its place, or is the one behind what is served;
- whether there is anything new says a folder of the pipeline root.

Neither is an input of several channels compiled ("Only single Channel is supported"): a union
becomes several inputs (`components.inputs`).
"""

from collections.abc import Sequence

from tfx.dsl.components.base import base_node

from components.audio_schema_gen.component import AudioSchemaGen
from components.base_model.component import BaseModel
from components.kept_statistics.component import PreviousStatistics, StatisticsKeeper
from components.served_model.component import ServedModel
from kws.models.params import ModelParams
from kws.training.params import TrainingParams
from pipeline.config import Config
from pipeline.history import BaseData, Channel, Examples, Found, InService

LOOKING_OUTSIDE = (
    *("ServedModel", "PreviousStatistics", "BaseModel", "StatisticsKeeper"),
    *("NewData", "VerdictKeeper"),
)
"""Ids of the nodes that no cache may answer for: what they look at changes by itself."""


class FolderHistory:
    """Looks into the bundle destination and below the pipeline root."""

    def __init__(self, config: Config, root: str, destination: str):
        """Args:
        root: URL of the pipeline root.
        destination: of the bundles.
        """
        self._config = config
        self._kept = f"{root.rstrip('/')}/{config.name}/statistics"
        self.retraining = f"{root.rstrip('/')}/{config.name}/retraining"
        self._destination = destination

    def schema(self) -> Found:
        config = self._config
        node = AudioSchemaGen(list(config.keywords), config.ingest, config.validation)
        return Found([node], node.outputs["schema"])

    def previous_statistics(self, current: Channel) -> Found:
        node = PreviousStatistics(current=current, folder=self._kept)
        return Found([node], node.outputs["statistics"])

    def keep_statistics(self, accepted: Channel, anomalies: Channel) -> list[base_node.BaseNode]:
        return [StatisticsKeeper(statistics=accepted, anomalies=anomalies, folder=self._kept)]

    def base_model(self, examples: Channel, model: ModelParams, training: TrainingParams) -> Found:
        node = BaseModel(uri="", destination=self._destination, kept=self.retraining)
        return Found([node], node.outputs["model"])

    def in_service(self, candidate: Channel, on_clips: bool) -> InService:
        node = ServedModel(destination=self._destination)
        model = node.outputs["model"]
        return InService([node], model if on_clips else None, model, node.outputs["evaluation"])

    def base_data(self) -> BaseData | None:
        return None

    def together(self, channels: Sequence[Channel]) -> Examples:
        first, *more = channels
        return Examples(first, more)
