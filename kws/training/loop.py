"""The compiled function of training: one step."""

from typing import TYPE_CHECKING

import numpy as np

from kws.training.average import WeightAverage
from kws.training.dataset import Dataset
from kws.training.objective import Objective
from kws.training.params import TrainingParams

if TYPE_CHECKING:
    import tensorflow as tf


class TrainStep:
    """One step of the optimizer on one batch.

    All its randomness (augmentation, dropout) is a function of `params.seed` and the number of the
    step, so that a resumed training goes on as if it had never stopped. XLA is not used: its
    depthwise convolutions took twenty times as long on a CPU.
    """

    def __init__(
        self, model: "tf.keras.Model", train: Dataset, params: TrainingParams, objective: Objective
    ):
        import tensorflow as tf

        self._model = model
        self._params = params
        self._objective = objective
        self._scale = train.scale
        self.optimizer = optimizer(model, params)
        self._dropouts = _dropout_generators(model)
        self.average = (
            WeightAverage(model, params.weight_average) if params.weight_average else None
        )
        self._step = tf.function(
            self._run,
            autograph=False,
            input_signature=[
                tf.TensorSpec([params.batch_size, *train.feature_shape], train.dtype),
                objective.target_spec(params.batch_size),
                tf.TensorSpec([], tf.int64),
            ],
        )

    def __call__(
        self, features: np.ndarray, targets: np.ndarray, step: int, learning_rate: float
    ) -> tuple[float, float]:
        """Updates the model. Returns (cross entropy, accuracy) of the batch before the update."""
        self.optimizer.learning_rate.assign(learning_rate)
        loss, accuracy = self._step(features, targets, step)
        return float(loss), float(accuracy)

    def prepared(
        self, features: np.ndarray, targets: np.ndarray, step: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the model is fed at this step, and the targets: augmented, float32."""
        import tensorflow as tf

        inputs, wanted = self._objective.prepare(
            tf.cast(features, tf.float32) * self._scale, targets, self._seed(tf.constant(step))
        )
        return inputs.numpy(), wanted.numpy()

    def _seed(self, step: "tf.Tensor") -> "tf.Tensor":
        import tensorflow as tf

        return tf.stack([tf.constant(self._params.seed, tf.int64), tf.cast(step, tf.int64)])

    def _run(
        self, features: "tf.Tensor", targets: "tf.Tensor", step: "tf.Tensor"
    ) -> "tuple[tf.Tensor, tf.Tensor]":
        import tensorflow as tf

        seed = self._params.seed
        for number, generator in enumerate(self._dropouts):
            # Philox counts from the low word: steps in the high word never overlap.
            generator.reset_from_key_counter(
                key=tf.constant(seed * 1009 + number, tf.int64), counter=tf.stack([0, step])
            )
        inputs = tf.cast(features, tf.float32) * self._scale
        inputs, targets = self._objective.prepare(inputs, targets, self._seed(step))
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            outputs = self._model(inputs, training=True)
            losses = self._objective.losses(inputs, targets, outputs)
            loss = tf.reduce_mean(losses * self._objective.weights(targets))
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        if self.average is not None:
            self.average.update(step)
        return tf.reduce_mean(losses), self._objective.accuracy(targets, outputs)


def optimizer(model: "tf.keras.Model", params: TrainingParams) -> "tf.keras.optimizers.Optimizer":
    """AdamW, or SGD with Nesterov's momentum (Sutskever et al., ICML 2013), for all weights.

    Weight decay is decoupled from the gradient for both (Loshchilov and Hutter, 2019,
    arXiv:1711.05101); biases and batch normalization do not decay.
    """
    import tensorflow as tf

    made: tf.keras.optimizers.Optimizer
    if params.optimizer == "sgd":
        made = tf.keras.optimizers.SGD(
            momentum=params.momentum,
            nesterov=True,
            weight_decay=params.weight_decay,
            jit_compile=False,
        )
    else:
        made = tf.keras.optimizers.AdamW(weight_decay=params.weight_decay, jit_compile=False)
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    made.build(model.trainable_variables)
    return made


def _dropout_generators(model: "tf.keras.Model") -> "list[tf.random.Generator]":
    """Of the dropout layers made with `rng_type="stateful"`; others are random in their own way."""
    import tensorflow as tf

    found = []
    # Layers inside layers too: quantization-aware training wraps each.
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, tf.keras.layers.Dropout):
            # Keras has no public way to seed a layer anew, and a checkpoint leaves this out.
            generator = getattr(layer._random_generator, "_generator", None)
            if generator is not None:
                found.append(generator)
    return found
