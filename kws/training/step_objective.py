"""A label at every step of a scene: binary cross entropy, and F1 that tells epochs apart."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from kws.scenes.step_counts import StepCounts, count_steps
from kws.training import spec_augment
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
        """Args:
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
            lambda features: whole(tf.cast(features, tf.float32) * data.scale, training=False),
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
        for features, labels in self._data.in_order(EVAL_BATCH):
            counts += count_steps(labels, self._predict(features).numpy()[..., 0])
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
