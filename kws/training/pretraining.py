"""Pretraining of a spotter's layers, before any keyword is known.

A keyword's clips come from a few dozen voices, and a network that is trained on them from nothing
must learn from these what speech is. Here it has learnt that before, from real recordings of many
people: at its steps it predicts the pretrained speech embedding (`kws.speech`) of the sound up to
then, and of a third, two thirds and a whole second earlier, so that its last activations keep what
was said over a word's length. The idea is that of representation distillation: Romero et al.,
"FitNets: Hints for Thin Deep Nets", ICLR 2015 (arXiv:1412.6550). The network may hear a clip over
noise whose embedding is that of the clean recording, and so learn to hear through noise in which
the embedding itself hears little; for whole models of speech: Chen et al., "WavLM", IEEE JSTSP 2022
(arXiv:2110.13900).

`python -m benchmarks.pretraining` makes `kws/models/data/mixed_net.npz` with it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from kws.models.mixed_net import LOGITS
from kws.speech.network import EMBEDDING_HOP_MS, EMBEDDING_SIZE
from kws.training import spec_augment
from kws.training.dataset import Dataset
from kws.training.objective import Evaluation, Objective
from kws.training.params import TrainingParams
from kws.training.spotting import channel_statistics, step_times_ms
from kws.training.teacher import FIRST_EMBEDDING_MS

if TYPE_CHECKING:
    import tensorflow as tf

    from kws.features.params import FeatureParams

EMBEDDINGS_BACK = (0, 4, 8, 12)
"""Of 80 ms each: the embeddings that a step predicts, counted back from the newest."""
_EMBEDDINGS = "embeddings"
_EVERY = 2
"""Steps from one that predicts to the next."""
_EVAL_BATCH = 256


def pretraining_form(spotter: "tf.keras.Model") -> "tf.keras.Model":
    """The spotter's layers up to its head, and a layer that predicts embeddings.

    Args:
      spotter: as `kws.models.registry.build` made it, for a context shorter than the clips.

    Returns:
      A model from the spotter's inputs to `[batch, predicting steps, 4 * 96]`: every other step,
      from the first on. All layers but the last are the spotter's own.
    """
    import tensorflow as tf

    head = spotter.get_layer(f"{LOGITS}_head")
    size = EMBEDDING_SIZE * len(EMBEDDINGS_BACK)
    x = tf.keras.layers.Conv2D(size, head.kernel_size, strides=(_EVERY, 1), name=_EMBEDDINGS)(
        head.input
    )
    outputs = tf.keras.layers.Reshape((-1, size), name="steps")(x)
    return tf.keras.Model(spotter.input, outputs, name=f"{spotter.name}_pretraining")


class PretrainingObjective(Objective):
    """Mean squared error of the predicted embeddings, in deviations of each channel."""

    def __init__(
        self,
        trainee: "tf.keras.Model",
        embeddings: np.ndarray,
        params: TrainingParams,
        feature_params: "FeatureParams",
        frames_per_step: int,
    ):
        """Lays out which embeddings each step of the model is to predict.

        Args:
          trainee: what `pretraining_form` gave.
          embeddings: `[clips, embeddings, 96]` of the training clips; only their mean and deviation
            are taken.
          params: SpecAugment's masks and warp are read.
          feature_params: of the clips.
          frames_per_step: of the model.
        """
        self._masks = params.model_copy(update={"time_shift_frames": 0})
        self._mean, self._deviation = channel_statistics(embeddings)
        head = trainee.get_layer(_EMBEDDINGS)
        steps = head.input.shape[1] - head.kernel_size[0] + 1
        ends_ms = step_times_ms(feature_params, steps, frames_per_step)[::_EVERY]
        self._steps = len(ends_ms)
        newest = np.rint((ends_ms - FIRST_EMBEDDING_MS) / EMBEDDING_HOP_MS).astype(int)
        wanted = newest[:, None] - np.array(EMBEDDINGS_BACK)
        self._count = embeddings.shape[1]
        self._rows = np.clip(wanted, 0, self._count - 1)

    def target_spec(self, batch_size: int) -> "tf.TensorSpec":
        """float16 `[batch, embeddings * 96]`."""
        import tensorflow as tf

        return tf.TensorSpec([batch_size, None], tf.float16)

    def prepare(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", seed: "tf.Tensor"
    ) -> "tuple[tf.Tensor, tf.Tensor]":
        """Targets become float32 `[batch, predicting steps, 4 * 96]`."""
        return spec_augment.augment(inputs, self._masks, seed), self._wanted(targets)

    def losses(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", outputs: "tf.Tensor"
    ) -> "tf.Tensor":
        import tensorflow as tf

        return tf.reduce_mean(tf.square(outputs - targets), axis=(1, 2))

    def accuracy(self, targets: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        """Share of the variance that the prediction explains, at least 0."""
        import tensorflow as tf

        error = tf.reduce_mean(self.losses(outputs, targets, outputs))
        return tf.maximum(0.0, 1.0 - error)

    def evaluator(self, model: "tf.keras.Model", data: Dataset) -> Callable[[], Evaluation]:
        """Of a dataset with targets; the epoch with the least error is best."""
        import tensorflow as tf

        assert data.features is not None and data.targets is not None
        features, targets, labels = data.features, data.targets, len(data.labels)

        @tf.function(reduce_retracing=True, autograph=False)
        def losses(inputs: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
            outputs = model(tf.cast(inputs, tf.float32) * data.scale, training=False)
            return self.losses(inputs, self._wanted(wanted), outputs)

        def evaluate() -> Evaluation:
            found = [
                losses(features[at : at + _EVAL_BATCH], targets[at : at + _EVAL_BATCH]).numpy()
                for at in range(0, len(features), _EVAL_BATCH)
            ]
            error = float(np.concatenate(found).mean())
            return Evaluation(
                accuracy=max(0.0, 1.0 - error),
                cross_entropy=error,
                examples=len(features),
                confusion=((0,) * labels,) * labels,  # nothing is told apart
                merit=(-error,),
            )

        return evaluate

    def _wanted(self, targets: "tf.Tensor") -> "tf.Tensor":
        import tensorflow as tf

        every = tf.reshape(tf.cast(targets, tf.float32), [-1, self._count, EMBEDDING_SIZE])
        wanted = (tf.gather(every, self._rows, axis=1) - self._mean) / self._deviation
        size = EMBEDDING_SIZE * len(EMBEDDINGS_BACK)
        return tf.reshape(wanted, [-1, self._steps, size])
