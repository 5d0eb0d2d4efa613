"""TFX's Trainer with eval streams, embeddings and a replay as further inputs, told to run our
training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import tfx.v1 as tfx
from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter
from tfx.utils import json_utils

from components.artifacts import AudioStreams
from components.inputs import more_examples as more_inputs
from components.inputs import more_examples_parameters
from components.trainer import executor
from kws.models.params import ModelParams
from kws.training.params import TrainingParams


class TrainerSpec(standard_component_specs.TrainerSpec):
    """Spec of Trainer: TFX's own, `streams`, `speech_embedding`, `replay` and `more_examples`."""

    INPUTS: ClassVar = {
        **standard_component_specs.TrainerSpec.INPUTS,
        **more_examples_parameters(),
        executor.STREAMS_KEY: ChannelParameter(type=AudioStreams, optional=True),
        executor.EMBEDDINGS_KEY: ChannelParameter(type=standard_artifacts.Examples, optional=True),
        executor.REPLAY_KEY: ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }


class Trainer(base_component.BaseComponent):
    """Fits a member of the zoo.

    Component `outputs` contains:
     - `model`: Channel of type `standard_artifacts.Model`: in `Format-Serving` a float SavedModel
       with `labels.txt`, `frontend.json` and `training.json` (its history, parameters, MACs).
     - `model_run`: Channel of type `standard_artifacts.ModelRun`: TensorBoard's logs.
    """

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: ModelParams,
        training: TrainingParams,
        keywords: Sequence[str],
        checkpoints: Path,
        base_model: types.BaseChannel | None = None,
        hyperparameters: types.BaseChannel | None = None,
        streams: types.BaseChannel | None = None,
        speech_embedding: types.BaseChannel | None = None,
        replay: types.BaseChannel | None = None,
        more_examples: Sequence[types.BaseChannel] = (),
    ):
        """Constructs the component.

        Args:
          examples: feature examples; train is fitted, eval chooses the epoch.
          model: the member of the zoo and its options.
          training: the loop's settings.
          keywords: of the labels.
          checkpoints: stable folder, so that a killed training resumes.
          base_model: a model of the Trainer whose weights training starts from.
          hyperparameters: the Tuner's best; they take the place of what `model` and `training` say.
          streams: of the AudioSynthesizer; its eval streams are heard after every epoch where
            `training.early_stopping` goes by misses.
          speech_embedding: of the clips of `examples`, by the frontend of that name, for the
            teacher of `training.spotting`, or for a model that is trained on it.
          replay: feature examples that the base model was trained on: `training.replay` of its
            train split are learned again, and its eval split stands in for that of `examples`.
          more_examples: further ones, such as mined ones (see `components.inputs`).
        """
        super().__init__(
            TrainerSpec(
                run_fn="components.trainer.trainer_module.run_fn",
                examples=examples,
                **more_inputs(more_examples),
                base_model=base_model,
                hyperparameters=hyperparameters,
                streams=streams,
                speech_embedding=speech_embedding,
                replay=replay,
                # Zero steps: the number of epochs is the training section's.
                train_args=tfx.proto.TrainArgs(splits=["train"], num_steps=0),
                eval_args=tfx.proto.EvalArgs(splits=["eval"], num_steps=0),
                custom_config=json_utils.dumps(
                    {
                        "model": model.to_json(),
                        "training": training.to_json(),
                        "keywords": json.dumps(list(keywords)),
                        "checkpoint_dir": str(checkpoints),
                    }
                ),
                model=types.Channel(type=standard_artifacts.Model),
                model_run=types.Channel(type=standard_artifacts.ModelRun),
            )
        )
