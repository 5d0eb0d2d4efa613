"""What a training minimises, and what tells its epochs apart.

The loop (`kws.training.session`) knows of features, gradients and weights; an `Objective` knows
what the targets are. `LabelObjective` is the ordinary one: a clip has one label. Others wrap it or
stand beside it: a teacher's posteriors, a label at every step of a scene.
"""

import abc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pydantic

from kws.params import Params
from kws.training import spec_augment
from kws.training.background_mixing import BackgroundMixing
from kws.training.dataset import Dataset
from kws.training.params import TrainingParams
from kws.training.spec_augment import mixup

if TYPE_CHECKING:
    import tensorflow as tf

EVAL_BATCH = 512


class Evaluation(Params):
    """A model on a split.

    Attributes:
      accuracy: over all examples of the split.
      cross_entropy: over all examples of the split.
      examples: N of both.
      confusion: counts `[labels][labels]`, rows what was said, columns what the model said.
      merit: higher is better, compared from left to right; chooses the epoch.
      metrics: whatever else is worth a place in log, TensorBoard and `training.json`, by name.
    """

    accuracy: float
    cross_entropy: float
    examples: int
    confusion: tuple[tuple[int, ...], ...]
    merit: tuple[float, ...]
    metrics: dict[str, float] = pydantic.Field(default_factory=dict)


class Objective(abc.ABC):
    """What one training minimises. Made for it, used by it alone."""

    @property
    def fingerprint(self) -> str:
        """Of all that decides the result beside params, model and data; part of what a checkpoint
        must have been made with to be resumed."""
        return type(self).__name__

    @abc.abstractmethod
    def target_spec(self, batch_size: int) -> "tf.TensorSpec":
        """What the dataset yields beside the features: int32 `[batch]` for labels."""

    @abc.abstractmethod
    def prepare(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", seed: "tf.Tensor"
    ) -> "tuple[tf.Tensor, tf.Tensor]":
        """Augments a batch; in graph.

        Args:
          inputs: float32 `[batch, frames, channels]`, as the model is fed.
          targets: as of `target_spec`.
          seed: int64 `[2]`; another one at every step, the only source of randomness.

        Returns:
          The inputs that model (and teacher) hear, and float32 targets.
        """

    @abc.abstractmethod
    def losses(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", outputs: "tf.Tensor"
    ) -> "tf.Tensor":
        """float32 `[batch]`: of the prepared inputs and targets and the model's outputs; in graph.

        Their plain mean is what the log calls cross entropy.
        """

    def weights(self, targets: "tf.Tensor") -> "tf.Tensor":
        """float32 `[batch]`: how much each example's loss counts in the gradient; in graph."""
        import tensorflow as tf

        return tf.ones([tf.shape(targets)[0]])

    @abc.abstractmethod
    def accuracy(self, targets: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        """Scalar float32: the share of the prepared targets that the outputs hit; in graph."""

    @abc.abstractmethod
    def evaluator(self, model: "tf.keras.Model", data: Any) -> Callable[[], Evaluation]:
        """A function that scores the model, with its weights of that time, on a split."""

    def judged(self, model: "tf.keras.Model") -> "tf.keras.Model":
        """The model that streams are heard by, which shares the weights of the trained one."""
        return model


class LabelObjective(Objective):
    """Softmax cross entropy of clips that have one label each."""

    def __init__(self, train: Dataset, params: TrainingParams):
        """Weighs the labels as `params` say.

        Args:
          train: whose label counts decide the labels' weights.
          params: label smoothing, class weights and augmentation are read.
        """
        import tensorflow as tf

        self._params = params
        self._num_labels = len(train.labels)
        self._label_weights = tf.constant(label_weights(train, params), tf.float32)
        mixing = params.background_mixing
        self._background = BackgroundMixing(train, mixing) if mixing else None

    def target_spec(self, batch_size: int) -> "tf.TensorSpec":
        import tensorflow as tf

        return tf.TensorSpec([batch_size], tf.int32)

    def prepare(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", seed: "tf.Tensor"
    ) -> "tuple[tf.Tensor, tf.Tensor]":
        """Background, time shift and masks, mixup; targets become float32 `[batch, labels]`."""
        import tensorflow as tf

        targets = tf.one_hot(targets, self._num_labels)
        if self._background is not None:
            inputs = self._background(inputs, tf.random.fold_in(seed, 1))
        inputs = spec_augment.augment(inputs, self._params, seed)
        if self._params.mixup_alpha:
            mixup_seed = tf.random.fold_in(seed, 2)
            inputs, targets = mixup(inputs, targets, self._params.mixup_alpha, mixup_seed)
        return inputs, targets

    def losses(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", outputs: "tf.Tensor"
    ) -> "tf.Tensor":
        import tensorflow as tf

        # Keras finds the softmax's logits in the graph and computes the stable form.
        return tf.keras.losses.categorical_crossentropy(
            targets, outputs, label_smoothing=self._params.label_smoothing
        )

    def weights(self, targets: "tf.Tensor") -> "tf.Tensor":
        import tensorflow as tf

        return tf.linalg.matvec(targets, self._label_weights)

    def accuracy(self, targets: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        import tensorflow as tf

        hits = tf.argmax(outputs, axis=1) == tf.argmax(targets, axis=1)
        return tf.reduce_mean(tf.cast(hits, tf.float32))

    def evaluator(self, model: "tf.keras.Model", data: Dataset) -> Callable[[], Evaluation]:
        return LabelEvaluator(model, data)


class LabelEvaluator:
    """Scores a model on a split of clips; compiled once, callable after every epoch."""

    def __init__(self, model: "tf.keras.Model", data: Dataset):
        import tensorflow as tf

        self._data = data
        self._predict = tf.function(
            lambda features: model(tf.cast(features, tf.float32) * data.scale, training=False),
            autograph=False,
            input_signature=[tf.TensorSpec([None, *data.feature_shape], data.dtype)],
        )

    def __call__(self) -> Evaluation:
        """The epoch with the highest accuracy is best, and of equals the lowest cross entropy."""
        size = len(self._data.labels)
        confusion = np.zeros((size, size), np.int64)
        cross_entropy = 0.0
        for features, label_index in self._data.in_order(EVAL_BATCH):
            posteriors = self._predict(features).numpy()
            np.add.at(confusion, (label_index, posteriors.argmax(axis=1)), 1)
            said = posteriors[np.arange(len(label_index)), label_index]
            cross_entropy -= float(np.log(np.maximum(said, 1e-7)).sum())
        accuracy = float(np.trace(confusion) / confusion.sum())
        cross_entropy /= float(confusion.sum())
        return Evaluation(
            accuracy=accuracy,
            cross_entropy=cross_entropy,
            examples=int(confusion.sum()),
            confusion=tuple(tuple(int(count) for count in row) for row in confusion),
            merit=(accuracy, -cross_entropy),
        )


def label_weights(train: Dataset, params: TrainingParams) -> np.ndarray:
    """How much an example of each label counts, float64 `[labels]`; 1 on average over examples.

    With `class_weighting`, inversely to the label's frequency; a label without examples gets 0.
    Where labels are drawn equally often, all count 1.
    """
    counts = train.label_counts
    if not params.class_weighting or params.sampling == "balanced":
        return np.ones(len(counts))
    present = counts > 0
    weights = np.zeros(len(counts))
    weights[present] = len(train) / (present.sum() * counts[present])
    return weights
