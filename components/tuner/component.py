"""TFX's Tuner, told to search with our training on audio examples."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import tfx.v1 as tfx
from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts, standard_component_specs
from tfx.utils import json_utils

from components.inputs import more_examples as more_inputs
from components.inputs import more_examples_parameters
from components.tuner import executor
from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.training.params import TrainingParams
from kws.training.tuning import TuningParams


class TunerSpec(standard_component_specs.TunerSpec):
    """Spec of Tuner: TFX's own, and `more_examples`."""

    INPUTS: ClassVar = {**standard_component_specs.TunerSpec.INPUTS, **more_examples_parameters()}


class Tuner(base_component.BaseComponent):
    """Searches for hyperparameters of model, training and frontend with KerasTuner.

    It stands before SpectrogramTransform, because the frontend's hop may be searched: it takes
    audio and computes features itself, once for each set of parameters.

    Component `outputs` contains:
     - `best_hyperparameters`: Channel of type `standard_artifacts.HyperParameters`: KerasTuner's
       file; the names of its values are paths of the configuration. SpectrogramTransform and
       Trainer take it as an input.
     - `tuner_results`: Channel of type `standard_artifacts.TunerResults`: TFX's
       `tuner_results.json` (the trials that are done, with their scores), and of all trials
       `tuning.json` (`kws.training.tuning.TuningReport`) and `trials.txt`, a table.
    """

    SPEC_CLASS = TunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        tuning: TuningParams,
        model: ModelParams,
        training: TrainingParams,
        features: FeatureParams,
        keywords: Sequence[str],
        folder: Path,
        report_file: Path,
        more_examples: Sequence[types.BaseChannel] = (),
    ):
        """Constructs the component.

        Args:
          examples: audio examples. Trials learn from train and are judged on eval.
          tuning: the space and its limits; checked against the sections (`tuning_space.check`).
          model, training, features: what a trial has where the space does not say otherwise.
          keywords: of the labels.
          folder: stable, so that a search that was killed goes on; cleared when it is over.
          report_file: where `tuning.json` is written too.
          more_examples: further ones, such as noisy copies (see `components.inputs`).
        """
        config = {
            "tuning": tuning.to_json(),
            "model": model.to_json(),
            "training": training.to_json(),
            "features": features.to_json(),
            "keywords": json.dumps(list(keywords)),
            "folder": str(folder),
            "report_file": str(report_file),
        }
        super().__init__(
            TunerSpec(
                examples=examples,
                **more_inputs(more_examples),
                tuner_fn="components.tuner.tuner_module.tuner_fn",
                train_args=tfx.proto.TrainArgs(splits=["train"]),
                eval_args=tfx.proto.EvalArgs(splits=["eval"]),
                custom_config=json_utils.dumps(config),
                best_hyperparameters=types.Channel(type=standard_artifacts.HyperParameters),
                tuner_results=types.Channel(type=standard_artifacts.TunerResults),
            )
        )
