"""Trains a model that answers at every step: scenes from disk in, a model for whole scenes out."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kws import features
from kws.errors import KwsError
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.training import scenes
from kws.training.callbacks import Progress
from kws.training.fit import History, fit
from kws.training.params import TrainingParams
from kws.training.step_objective import StepObjective

if TYPE_CHECKING:
    import tensorflow as tf

log = logging.getLogger(__name__)

NOT_FOR_SCENES = (
    ("warm_start", False),
    ("hard_negatives", None),
    ("distillation", None),
    ("quantization_aware", None),
)
"""Fields of TrainingParams that need clips, and their values that ask for nothing; others are in
`kws.training.compatibility`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trained:
    """What came of it; `model` takes whole scenes."""

    model: "tf.keras.Model"
    train: scenes.SceneDataset
    eval_data: scenes.SceneDataset
    history: History


def steps_of(model: ModelParams, frames: int) -> int:
    """Answers that a model gives in so many frames. Imports no TensorFlow."""
    return registry.architecture(model.name).steps(registry.options(model), frames)


def check(training: TrainingParams) -> None:
    """Raises KwsError if something is asked for that only clips have."""
    for name, value in NOT_FOR_SCENES:
        if getattr(training, name) != value:
            raise KwsError(
                f"training.{name} is for models that learn from clips, not for scenes",
                hint="leave it out",
            )


def train(
    train_patterns: Sequence[str],
    eval_patterns: Sequence[str],
    model_params: ModelParams,
    params: TrainingParams,
    keyword: str,
    feature_params: FeatureParams,
    *,
    log_dir: str | Path | None = None,
    checkpoint_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Reads scenes and fits a model to them.

    Args:
      train_patterns, eval_patterns: globs of files of scene features.
      model_params: whose output is "steps".
      params: the loop's settings.
      keyword: names a step labelled 1.
      feature_params: of whole scenes.
      log_dir, checkpoint_dir, progress: see `kws.training.fit.fit`.

    Raises:
      KwsError: the scenes do not fit the model, or there are none.
    """
    check(params)
    options, shape = registry.options(model_params), feature_params.feature_shape
    kernel, stride = options.kernel, options.stride  # type: ignore[attr-defined]

    def read(patterns: Sequence[str], crop_steps: int | None) -> scenes.SceneDataset:
        return scenes.read(
            patterns,
            shape,
            features.frontend_class(feature_params.frontend).dtype,
            keyword,
            steps_of(model_params, shape[0]),
            scenes.Piecing(kernel=kernel, stride=stride, steps=crop_steps),
            scale=model_input.input_scale(feature_params),
            cache_bytes=params.cache_bytes,
        )

    train_data = read(train_patterns, params.steps.crop_steps)
    eval_data = read(eval_patterns, None)
    log.info(
        "Training on %d scenes in %d pieces of %d frames, evaluating on %d scenes",
        len(train_data.label_steps),
        len(train_data),
        train_data.feature_shape[0],
        len(eval_data.label_steps),
    )
    whole = model = registry.build(model_params, shape, 1, seed=params.seed)
    if train_data.feature_shape != shape:
        model = registry.build(model_params, train_data.feature_shape, 1, seed=params.seed)
    history = fit(
        model,
        train_data,  # type: ignore[arg-type]
        eval_data,  # type: ignore[arg-type]
        params,
        objective=StepObjective(params, whole),
        log_dir=log_dir,
        checkpoint_dir=checkpoint_dir,
        progress=progress,
    )
    if whole is not model:
        whole.set_weights(model.get_weights())
    return Trained(model=whole, train=train_data, eval_data=eval_data, history=history)
