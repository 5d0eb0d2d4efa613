"""The two compiled functions of training: one step of it, and the evaluation of a split."""

from typing import TYPE_CHECKING

import numpy as np

from kws.params import Params
from kws.training import spec_augment
from kws.training.average import WeightAverage
from kws.training.dataset import Dataset
from kws.training.params import TrainingParams

if TYPE_CHECKING:
    import tensorflow as tf

_EVAL_BATCH = 512


class TrainStep:
    """One step of AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101) on one batch.

    All its randomness (augmentation, dropout) is a function of `params.seed` and the number of the
    step, so that a resumed training goes on as if it had never stopped. XLA is not used: its
    depthwise convolutions took twenty times as long on a CPU.
    """

    def __init__(self, model: "tf.keras.Model", train: Dataset, params: TrainingParams):
        import tensorflow as tf

        self._model = model
        self._params = params
        self._scale = train.scale
        self._num_labels = len(train.labels)
        self._weights = tf.constant(label_weights(train, params), tf.float32)
        self.optimizer = tf.keras.optimizers.AdamW(
            weight_decay=params.weight_decay, jit_compile=False
        )
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.optimizer.build(model.trainable_variables)
        self._dropouts = _dropout_generators(model)
        self.average = (
            WeightAverage(model, params.weight_average) if params.weight_average else None
        )
        self._step = tf.function(
            self._run,
            input_signature=[
                tf.TensorSpec([params.batch_size, *train.feature_shape], train.dtype),
                tf.TensorSpec([params.batch_size], tf.int32),
                tf.TensorSpec([], tf.int64),
            ],
        )

    def __call__(
        self, features: np.ndarray, label_index: np.ndarray, step: int, learning_rate: float
    ) -> tuple[float, float]:
        """Updates the model. Returns (cross entropy, accuracy) of the batch before the update."""
        self.optimizer.learning_rate.assign(learning_rate)
        loss, accuracy = self._step(features, label_index, step)
        return float(loss), float(accuracy)

    def _run(
        self, features: "tf.Tensor", label_index: "tf.Tensor", step: "tf.Tensor"
    ) -> "tuple[tf.Tensor, tf.Tensor]":
        import tensorflow as tf

        seed = self._params.seed
        for number, generator in enumerate(self._dropouts):
            # Philox counts from the low word: steps in the high word never overlap.
            generator.reset_from_key_counter(
                key=tf.constant(seed * 1009 + number, tf.int64), counter=tf.stack([0, step])
            )
        inputs = tf.cast(features, tf.float32) * self._scale
        inputs = spec_augment.augment(
            inputs, self._params, tf.stack([tf.constant(seed, tf.int64), step])
        )
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            posteriors = self._model(inputs, training=True)
            # Keras finds the softmax's logits in the graph and computes the stable form.
            losses = tf.keras.losses.categorical_crossentropy(
                tf.one_hot(label_index, self._num_labels),
                posteriors,
                label_smoothing=self._params.label_smoothing,
            )
            loss = tf.reduce_mean(losses * tf.gather(self._weights, label_index))
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        if self.average is not None:
            self.average.update(step)
        recognized = tf.argmax(posteriors, axis=1, output_type=tf.int32)
        accuracy = tf.reduce_mean(tf.cast(recognized == label_index, tf.float32))
        return tf.reduce_mean(losses), accuracy


class Evaluation(Params):
    """A model on a split.

    Attributes:
      confusion: counts `[labels][labels]`, rows what was said, columns what the model said.
    """

    accuracy: float
    cross_entropy: float
    confusion: tuple[tuple[int, ...], ...]


class Evaluator:
    """Scores a model on a split; compiled once, callable after every epoch."""

    def __init__(self, model: "tf.keras.Model", data: Dataset):
        import tensorflow as tf

        self._data = data
        self._predict = tf.function(
            lambda features: model(tf.cast(features, tf.float32) * data.scale, training=False),
            input_signature=[tf.TensorSpec([None, *data.feature_shape], data.dtype)],
        )

    def __call__(self) -> Evaluation:
        size = len(self._data.labels)
        confusion = np.zeros((size, size), np.int64)
        cross_entropy = 0.0
        for features, label_index in self._data.in_order(_EVAL_BATCH):
            posteriors = self._predict(features).numpy()
            np.add.at(confusion, (label_index, posteriors.argmax(axis=1)), 1)
            said = posteriors[np.arange(len(label_index)), label_index]
            cross_entropy -= float(np.log(np.maximum(said, 1e-7)).sum())
        return Evaluation(
            accuracy=float(np.trace(confusion) / confusion.sum()),
            cross_entropy=cross_entropy / float(confusion.sum()),
            confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        )


def label_weights(train: Dataset, params: TrainingParams) -> np.ndarray:
    """How much an example of each label counts, float64 `[labels]`; 1 on average over examples.

    With `class_weighting`, inversely to the label's frequency; a label without examples gets 0.
    """
    counts = train.label_counts
    if not params.class_weighting:
        return np.ones(len(counts))
    present = counts > 0
    weights = np.zeros(len(counts))
    weights[present] = len(train) / (present.sum() * counts[present])
    return weights


def _dropout_generators(model: "tf.keras.Model") -> "list[tf.random.Generator]":
    """Of the dropout layers made with `rng_type="stateful"`; others are random in their own way."""
    import tensorflow as tf

    found = []
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.Dropout):
            # Keras has no public way to seed a layer anew, and a checkpoint leaves this out.
            generator = getattr(layer._random_generator, "_generator", None)
            if generator is not None:
                found.append(generator)
    return found
