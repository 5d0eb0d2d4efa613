"""TFX's own Trainer, told to run our training."""

import json
from collections.abc import Sequence
from pathlib import Path

import tfx.v1 as tfx
from tfx.types import BaseChannel

from kws.models.params import ModelParams
from kws.training.params import TrainingParams


def trainer(
    examples: BaseChannel,
    model: ModelParams,
    training: TrainingParams,
    keywords: Sequence[str],
    checkpoints: Path,
) -> tfx.components.Trainer:
    """Builds the Trainer.

    Args:
      examples: feature examples; train is fitted, eval chooses the epoch.
      model: the member of the zoo and its options.
      training: the loop's settings.
      keywords: of the labels.
      checkpoints: stable folder, so that a killed training resumes.

    Outputs of the component:
      model: a float SavedModel with labels, frontend parameters and the training's history.
      model_run: TensorBoard logs.
    """
    return tfx.components.Trainer(
        run_fn="components.trainer.trainer_module.run_fn",
        examples=examples,
        # Zero steps: the number of epochs is the training section's.
        train_args=tfx.proto.TrainArgs(splits=["train"], num_steps=0),
        eval_args=tfx.proto.EvalArgs(splits=["eval"], num_steps=0),
        custom_config={
            "model": model.to_json(),
            "training": training.to_json(),
            "keywords": json.dumps(list(keywords)),
            "checkpoint_dir": str(checkpoints),
        },
    )
