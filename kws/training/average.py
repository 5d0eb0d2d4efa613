"""A moving average of a model's weights, which is evaluated and shipped in their place.

Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992. It takes the
chance of the last steps out of a model: without it, runs on synthesized voices that differed in
little were up to ten points of misses apart on recordings.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf


class WeightAverage:
    """Averages of all weights, those of batch normalization's statistics included."""

    def __init__(self, model: "tf.keras.Model", decay: float):
        """Args:
        model: whose weights are averaged.
        decay: of a step, below 1; until 1 / (1 - decay) steps are done it is their plain mean.
        """
        import tensorflow as tf

        self._model = model
        self._decay = decay
        self.variables = [tf.Variable(weight, trainable=False) for weight in model.weights]

    def update(self, step: "tf.Tensor") -> None:
        """Takes in the weights after step number `step` (from 0); part of the compiled step."""
        import tensorflow as tf

        rate = tf.maximum(1.0 - self._decay, 1.0 / (tf.cast(step, tf.float32) + 1.0))
        for average, weight in zip(self.variables, self._model.weights, strict=True):
            average.assign_add(rate * (weight - average))

    def swap(self) -> None:
        """Exchanges the model's weights and the average; a second call undoes the first."""
        for average, weight in zip(self.variables, self._model.weights, strict=True):
            kept = weight.numpy()
            weight.assign(average)
            average.assign(kept)
