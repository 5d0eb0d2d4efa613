"""What a pipeline on Kubeflow has that one on this machine does not need.

A container has no file with the schema, so AudioSchemaGen writes one. What changes by itself, as
the registry at the destination does, is looked up anew in every run: Kubeflow runs no drivers, by
which TFX's cache could know of it.

With retraining, the first task checks whether there is anything new:

    NewData --- new == "true" ---> all that waits for nothing else ---> ... ---> ModelKeeper

`tfx.dsl.Cond` does not work: TFX compiles it to a condition on the property of an input
*artifact*, and the open-source server evaluates conditions on *parameters* alone. NewData's
output is therefore made a parameter too (TFX's container does that with a String) and the
condition is written here. Tasks that wait for a task that was not triggered are not triggered
either: the run succeeds after one task.
"""

from typing import Any

from components.audio_schema_gen.component import AudioSchemaGen
from components.new_data.component import NewData
from components.new_data.executor import GIVEN
from kws.errors import KwsError
from pipeline.config import Config
from pipeline.history import Found, History
from pipeline.pipeline import Recordings
from pipeline.retraining.input_fingerprint import settings_of

LOOKING_OUTSIDE = (
    *("ServedModel", "PreviousStatistics", "BaseModel", "StatisticsKeeper"),
    *("NewData", "ModelKeeper"),
)
"""Ids of the nodes that no cache may answer for: what they look at changes by itself."""


class ContainerHistory(History):
    """As on this machine, but the schema is written by a task."""

    def schema(self) -> Found:
        config = self._config
        node = AudioSchemaGen(list(config.keywords), config.ingest, config.validation)
        return Found([node], node.outputs["schema"])


Spec = dict[str, Any]
NEW_DATA = "NewData"
CONDITION = "new_data"
"""The parameter of the tasks that are triggered by it."""
NOT_COUNTED = ("data", "destination", "force")
"""Parameters of a run that do not say what would be made: of the data the content is asked."""


def new_data(config: Config, recordings: Recordings, destination: str) -> NewData:
    """The first task of a retraining.

    Args:
      config: which counts as a whole.
      recordings: what is ingested.
      destination: of the bundles, where verdicts are kept.

    Raises:
      KwsError: there is no model to judge.
    """
    if config.model is None:
        raise KwsError("model is null, so there is nothing to retrain", hint="leave out --retrain")
    return NewData(
        input_base=recordings.folder,
        span_folder=recordings.span_folder,
        last_spans=recordings.last_spans,
        settings=settings_of(config),
        destination=destination,
    )


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
