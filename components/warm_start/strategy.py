"""Which model a training starts from: the float model behind the last blessed int8 one."""

import json
from typing import Any

from absl import logging
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx import types
from tfx.dsl.components.common import resolver
from tfx.types import standard_artifacts

from components import blessing as blessings
from kws.models.params import ModelParams
from kws.training.params import TrainingParams

EXAMPLES = "examples"
MODEL = "model"
_FLOAT_MODEL = "float_model"
"""MicroConverter's input."""
_CUSTOM_CONFIG = "custom_config"
"""The Trainer's execution property with the sections `model` and `training`."""


class LastBlessedParentStrategy(resolver.ResolverStrategy):
    """Resolves the newest float model of which the int8 form was blessed by all three judges.

    One that only the Evaluator liked was refused: it may have learned wrong labels, which its own
    test clips, wrong alike, do not show.

    What is blessed is the int8 model. Its parent is the `float_model` that the MicroConverter was
    given when it made it, which ML Metadata knows.

    A model that this very training made, of these examples and with these settings, is passed
    over: else an unchanged pipeline, run again, would find its own result, start from it and train
    again for ever. So the same step of the same pipeline resolves to the same model, and TFX's
    cache answers; new examples or other settings start from the newest blessed model, whichever
    made it. Nothing is resolved where there is none: that training starts from scratch.
    """

    def __init__(self, training: str, model: str):
        """Args:
        training, model: the two sections of the training to come, as JSON.
        """
        self._settings = {"training": training, "model": model}

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Keeps the examples, and at most one (float) model."""
        examples = input_dict.get(EXAMPLES, [])
        models = {model.id: model for model in input_dict.get(MODEL, [])}
        others = blessings.none_of_them()
        newest = max((artifact.id for artifact in examples), default=0)
        for blessed in sorted(blessings.by_all_judges(input_dict), reverse=True):
            parent = _parent(store, blessed)
            if parent in models and not self._made_by_this_training(store, parent, newest):
                logging.info("Warm start: model %d, parent of blessed model %d", parent, blessed)
                return {EXAMPLES: examples, MODEL: [models[parent]], **others}
        logging.info("Warm start: no blessed model yet, so the training starts from scratch")
        return {EXAMPLES: examples, MODEL: [], **others}

    def _made_by_this_training(self, store: Any, float_model: int, examples: int) -> bool:
        producer = _producer(store, float_model)
        if producer is None or examples not in _inputs(store, producer.id, EXAMPLES):
            return False
        written = producer.custom_properties.get(_CUSTOM_CONFIG)
        config = json.loads(written.string_value) if written is not None else None
        return all((config or {}).get(key) == value for key, value in self._settings.items())


def _parent(store: Any, int8_model: int) -> int | None:
    """Id of the float model that the int8 model was converted from."""
    converter = _producer(store, int8_model)
    parents = _inputs(store, converter.id, _FLOAT_MODEL) if converter is not None else []
    return parents[0] if parents else None


def _producer(store: Any, artifact: int) -> Any:
    """The execution that made the artifact; later ones that took it from the cache follow it."""
    events = store.get_events_by_artifact_ids([artifact])
    made = [event.execution_id for event in events if event.type == mlmd.Event.OUTPUT]
    return store.get_executions_by_id([min(made)])[0] if made else None


def _inputs(store: Any, execution: int, key: str) -> list[int]:
    """Ids of the artifacts that an execution had as one of its inputs."""
    return [
        event.artifact_id
        for event in store.get_events_by_execution_ids([execution])
        if event.type == mlmd.Event.INPUT
        and key in (step.key for step in event.path.steps if step.HasField("key"))
    ]


def base_model_resolver(
    examples: types.BaseChannel, model: ModelParams, training: TrainingParams
) -> resolver.Resolver:
    """The node whose `model` output is what the training starts from (empty where there is none).

    Args:
      examples: the feature examples of the training to come.
      model, training: its settings, just as the Trainer is given them.
    """
    return resolver.Resolver(
        strategy_class=LastBlessedParentStrategy,
        config={"training": training.to_json(), "model": model.to_json()},
        examples=examples,
        model=types.Channel(type=standard_artifacts.Model),
        **blessings.channels(),
    ).with_id("BaseModel")
