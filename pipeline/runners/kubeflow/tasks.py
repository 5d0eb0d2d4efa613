"""Tasks that a pipeline on Kubeflow needs in place of TFX's resolvers and conditions.

TFX 1.16 compiles a Resolver only of LatestArtifactStrategy or LatestBlessedModelStrategy, and the
open-source server accepts only containers and importers, so even these two would run on Vertex AI
alone. Nothing here therefore asks ML Metadata:

- the model in service is what the bundle destination serves;
- the statistics that drift is measured from are kept beside the bundles;
- the model that a training starts from is named by its place, or is the one behind what is served;
- a folder of the pipeline root says whether there is anything new.

An input of several channels is not compiled either ("Only single Channel is supported"): a union
becomes several inputs (`components.inputs`).

With retraining, the first task checks whether there is anything new:

    NewData --- new == "true" ---> all that waits for nothing else ---> ... ---> VerdictKeeper

`tfx.dsl.Cond` does not work: TFX compiles it to a condition on the property of an input
*artifact*, and the open-source server evaluates conditions on *parameters* alone. NewData's
output is therefore made a parameter too (TFX's container does that with a String) and the
condition is written here. Tasks that wait for a task that was not triggered are not triggered
either: the run succeeds after one task.
"""

from collections.abc import Sequence
from typing import Any

from tfx.dsl.components.base import base_node

from components.audio_schema_gen.component import AudioSchemaGen
from components.base_model.component import BaseModel
from components.new_data.component import NewData
from components.new_data.executor import GIVEN
from components.registry.component import RegistryKeeper, RegistryLookup
from components.served_model.component import ServedModel
from components.verdict_keeper.component import VerdictKeeper
from kws.errors import KwsError
from kws.models.params import ModelParams
from kws.training.params import TrainingParams
from pipeline.config import Config
from pipeline.history import BaseData, Channel, Examples, Found, InService
from pipeline.pipeline import Recordings
from pipeline.retraining.input_fingerprint import settings_of

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
        self.retraining = f"{root.rstrip('/')}/{config.name}/retraining"
        self._destination = destination

    def schema(self) -> Found:
        config = self._config
        node = AudioSchemaGen(list(config.keywords), config.ingest, config.validation)
        return Found([node], node.outputs["schema"])

    def previous_statistics(self, current: Channel) -> Found:
        node = RegistryLookup(self._destination, current=current).with_id("PreviousStatistics")
        return Found([node], node.outputs["statistics"])

    def keep_statistics(self, accepted: Channel, anomalies: Channel) -> list[base_node.BaseNode]:
        node = RegistryKeeper(self._destination, statistics=accepted, anomalies=anomalies)
        return [node.with_id("StatisticsKeeper")]

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


Spec = dict[str, Any]
NEW_DATA = "NewData"
CONDITION = "new_data"
"""The parameter of the tasks that are triggered by it."""
NOT_COUNTED = ("data", "destination", "force")
"""Parameters of a run that do not say what would be made: of the data the content is asked."""


def retraining(
    nodes: list[base_node.BaseNode], config: Config, recordings: Recordings, folder: str
) -> list[base_node.BaseNode]:
    """The nodes with NewData before them and VerdictKeeper after.

    Args:
      nodes: of the whole pipeline.
      config: which counts as a whole.
      recordings: what is ingested.
      folder: where verdicts are kept.

    Raises:
      KwsError: there is no model to judge.
    """
    if config.model is None:
        raise KwsError("model is null, so there is nothing to retrain", hint="leave out --retrain")
    by_id = {node.id: node for node in nodes}
    new_data = NewData(
        input_base=recordings.folder,
        span_folder=recordings.span_folder,
        last_spans=recordings.last_spans,
        settings=settings_of(config),
        folder=folder,
    )
    keeper = VerdictKeeper(
        pushed_model=by_id["MicroPusher"].outputs["pushed_model"],
        model=by_id["Trainer"].outputs["model"],
        fingerprint=new_data.outputs["fingerprint"],
        folder=folder,
    )
    return [new_data, *nodes, keeper]


def only_if_new(spec: Spec) -> None:
    """Writes the conditions into a specification that has NewData, in place.

    NewData is told all parameters of the run: other epochs make another model.
    """
    tasks, components = spec["root"]["dag"]["tasks"], spec["components"]
    outputs = components[NEW_DATA]["outputDefinitions"]
    outputs.setdefault("parameters", {})["new"] = {"parameterType": "STRING"}
    for name, task in tasks.items():
        if name == NEW_DATA or set(task.get("dependentTasks", [])) - {NEW_DATA}:
            continue
        _add_input(
            spec,
            name,
            CONDITION,
            "STRING",
            {"taskOutputParameter": {"producerTask": NEW_DATA, "outputParameterKey": "new"}},
        )
        task["dependentTasks"] = [NEW_DATA]
        task["triggerPolicy"] = {"condition": f"inputs.parameter_values['{CONDITION}'] == 'true'"}
    for name, parameter in spec["root"]["inputDefinitions"]["parameters"].items():
        if name not in NOT_COUNTED:
            source = {"componentInputParameter": name}
            _add_input(spec, NEW_DATA, f"{GIVEN}{name}", parameter["parameterType"], source)


def _add_input(spec: Spec, task: str, name: str, kind: str, source: dict[str, Any]) -> None:
    inputs = spec["components"][task].setdefault("inputDefinitions", {})
    inputs.setdefault("parameters", {})[name] = {"parameterType": kind}
    given = spec["root"]["dag"]["tasks"][task].setdefault("inputs", {})
    given.setdefault("parameters", {})[name] = source
