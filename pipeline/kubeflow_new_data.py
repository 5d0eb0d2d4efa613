"""A compiled pipeline that retrains: its first task looks whether there is anything new.

    NewData --- new == "true" ---> all that waits for nothing else ---> ... ---> VerdictKeeper

`tfx.dsl.Cond` is no way: TFX compiles it to a condition on the property of an input *artifact*,
and the open-source server evaluates conditions on *parameters* alone. So NewData's output is made a
parameter too (TFX's container does that with a String), and the condition is written here. What
waits for a task that was not triggered is not triggered either: the run ends well, after one task.
"""

from typing import Any

from tfx.dsl.components.base import base_node

from components.new_data.component import NewData
from components.new_data.executor import GIVEN
from components.verdict_keeper.component import VerdictKeeper
from kws.errors import KwsError
from pipeline.config import Config
from pipeline.pipeline import Recordings
from pipeline.retraining.made_of import settings_of

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
