"""Trains a model that answers at every step of a scene.

Every step has a label; the loss is binary cross entropy, and epochs are compared by F1.
"""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws import features
from kws.errors import KwsError
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.scenes.scoring import StepCounts, count_steps
from kws.training import scenes, spec_augment
from kws.training.callbacks import Progress
from kws.training.fit import History, fit
from kws.training.objective import Evaluation, Objective
from kws.training.params import TrainingParams
from kws.training.scenes import SceneDataset

if TYPE_CHECKING:
    import tensorflow as tf


EVAL_BATCH = 8
"""Scenes: the activations of one of 5,511 frames take 20 MB."""


class StepObjective(Objective):
    """For models that give `[batch, steps, 1]`, the probability of 1 at every step."""

    def __init__(self, params: TrainingParams, whole: "tf.keras.Model | None" = None):
        """Reads the loss's settings.

        Args:
          params: `steps.positive_weight` and SpecAugment's masks are read; a shift in time would
            part labels from their words, so there is none.
          whole: the model for whole scenes, where the one that is trained hears pieces; it has the
            same weights, which are copied before every evaluation.
        """
        self._masks = params.model_copy(update={"time_shift_frames": 0})
        self._positive_weight = params.steps.positive_weight
        self._whole = whole

    def target_spec(self, batch_size: int) -> "tf.TensorSpec":
        """uint8 `[batch, steps]` of 0 and 1."""
        import tensorflow as tf

        return tf.TensorSpec([batch_size, None], tf.uint8)

    def prepare(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", seed: "tf.Tensor"
    ) -> "tuple[tf.Tensor, tf.Tensor]":
        """Targets become float32 `[batch, steps]`."""
        import tensorflow as tf

        return spec_augment.augment(inputs, self._masks, seed), tf.cast(targets, tf.float32)

    def losses(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", outputs: "tf.Tensor"
    ) -> "tf.Tensor":
        """Mean over the steps, those labelled 1 weighing `positive_weight`."""
        import tensorflow as tf

        # Keras finds the sigmoid's logits in the graph and computes the stable form.
        each = tf.keras.losses.binary_crossentropy(targets[..., None], outputs)
        weights = 1.0 + (self._positive_weight - 1.0) * targets
        return tf.reduce_mean(each * weights, axis=1)

    def accuracy(self, targets: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        """Share of the steps."""
        import tensorflow as tf

        said = tf.cast(outputs[..., 0] >= 0.5, tf.float32)
        return tf.reduce_mean(tf.cast(said == targets, tf.float32))

    def evaluator(self, model: "tf.keras.Model", data: SceneDataset) -> Callable[[], Evaluation]:
        return StepEvaluator(model, data, self._whole or model)


class StepEvaluator:
    """Scores a model on whole scenes; compiled once, callable after every epoch."""

    def __init__(self, model: "tf.keras.Model", data: SceneDataset, whole: "tf.keras.Model"):
        import tensorflow as tf

        self._model, self._data, self._whole = model, data, whole
        self._predict = tf.function(
            lambda inputs: whole(tf.cast(inputs, tf.float32) * data.scale, training=False),
            autograph=False,
            input_signature=[tf.TensorSpec([None, *data.scene_shape], data.dtype)],
        )

    def __call__(self) -> Evaluation:
        """The epoch with the highest F1 of the steps is best, of equals the lowest cross entropy.

        `examples` are steps.
        """
        if self._whole is not self._model:
            self._whole.set_weights(self._model.get_weights())
        counts = StepCounts()
        for inputs, labels in self._data.in_order(EVAL_BATCH):
            counts += count_steps(labels, self._predict(inputs).numpy()[..., 0])
        figures = {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
        metrics = {name: float(np.nan_to_num(value)) for name, value in figures.items()}
        return Evaluation(
            accuracy=counts.accuracy,
            cross_entropy=counts.cross_entropy,
            examples=counts.steps,
            confusion=counts.confusion,
            merit=(metrics["f1"], -counts.cross_entropy),
            metrics=metrics,
        )


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
      train_patterns: globs of files of scene features, to learn from.
      eval_patterns: the same, to judge epochs by.
      model_params: whose output is "steps".
      params: the loop's settings.
      keyword: names a step labelled 1.
      feature_params: of whole scenes.
      log_dir: see `kws.training.fit.fit`.
      checkpoint_dir: see `kws.training.fit.fit`.
      progress: see `kws.training.fit.fit`.

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
