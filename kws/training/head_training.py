"""Training of the heads of a spotter whose pretrained network stays as it is.

What the network puts out is computed once for each clip, by the frontend that the architecture
names (`LEARNS_FROM`), instead of once an epoch: 15,000 clips of 3.2 s are trained on in a minute or
two. The heads share their input and nothing else; each is trained at every step of the clips by
the costs of `kws.training.spotting`, and the model answers with the mean of their logits.

    trainee, train, objective = prepare(spotter, train, params)   # datasets of embeddings
    fit(trainee, train, eval_data, params, objective=objective)
    spread_posteriors(spotter, train)   # the spotter, which shares the heads, is trained
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from kws.errors import KwsError
from kws.labels import RESERVED
from kws.models import blocks
from kws.models.mixed_net import LOGITS
from kws.models.speech_embedding import EMBEDDINGS, SILENCE_LOGITS
from kws.training.dataset import Dataset
from kws.training.objective import Evaluation, LabelEvaluator
from kws.training.params import TrainingParams
from kws.training.spotting import SpottingObjective, spread_logits, strongest_logits

if TYPE_CHECKING:
    import tensorflow as tf

_BATCH = 512


def prepare(
    spotter: "tf.keras.Model", train: Dataset, params: TrainingParams
) -> "tuple[tf.keras.Model, Dataset, HeadsObjective]":
    """What `kws.training.fit` is to be given: a model, its training examples, and the objective.

    Args:
      spotter: `speech_embedding` as `kws.models.registry.build` made it, for a context shorter than
        the clips.
      train: embeddings of the training clips, in memory.
      params: with `spotting`.

    Raises:
      KwsError: the model is not such a spotter, or the examples are not its network's outputs.
    """
    names = [layer.name for layer in spotter.layers]
    if not {EMBEDDINGS, f"{LOGITS}_head", "strongest_step"} <= set(names):
        raise KwsError(
            f"training.spotting: model {spotter.name} does not answer at every step of a clip",
            hint="model.options.ending=sigmoid, and features.context_ms below clip_duration_ms",
        )
    _, count, _, size = spotter.get_layer(EMBEDDINGS).output_shape
    if train.feature_shape != (count, size):
        raise KwsError(
            f"the model's network gives {count} x {size} embeddings a clip, the training examples "
            f"have {train.feature_shape[0]} x {train.feature_shape[1]}",
            hint="both must be of the same clip_duration_ms",
        )
    if train.features is None:
        raise KwsError(
            f"training.spotting needs its {len(train)} examples in memory, and they do not fit "
            f"into training.cache_bytes={params.cache_bytes}",
            hint="allow more memory, or make fewer noisy copies",
        )
    objective = HeadsObjective(params, train, spotter)
    targets = objective.targets(train.label_index)
    return training_form(spotter), dataclasses.replace(train, targets=targets), objective


def training_form(spotter: "tf.keras.Model") -> "tf.keras.Model":
    """`[batch, embeddings, 96]` to the logits of each head at each step.

    Channels are the logits and that of silence of the first head, then those of the next. All
    layers but those that only reshape are the spotter's own.
    """
    import tensorflow as tf

    heads = [spotter.get_layer(f"{name}_head") for name in (LOGITS, SILENCE_LOGITS)]
    logits = [layer(heads[0].input, each=True) for layer in heads]
    steps, outputs = logits[0].shape[1], sum(values.shape[3] for values in logits)
    joined = tf.keras.layers.Reshape((steps, outputs * heads[0].heads), name="each_head")(
        tf.concat(logits, axis=3)
    )
    return _from_embeddings(spotter, joined, f"{spotter.name}_heads")


def spread_posteriors(spotter: "tf.keras.Model", train: Dataset) -> None:
    """Shifts and scales the logits, see `kws.training.spotting.spread_logits`."""
    heads = spotter.get_layer(f"{LOGITS}_head")
    logits = _from_embeddings(spotter, spotter.get_layer(LOGITS).output, f"{spotter.name}_logits")
    strongest = np.concatenate(
        [
            strongest_logits(logits(features.astype(np.float32), training=False).numpy())
            for features, _ in train.in_order(_BATCH)
        ]
    )
    spread_logits(heads, strongest, train.label_index >= len(RESERVED))


def _from_embeddings(
    spotter: "tf.keras.Model", outputs: "tf.Tensor", name: str
) -> "tf.keras.Model":
    """The part of the spotter from its embeddings to `outputs`, fed `[batch, embeddings, 96]`."""
    import tensorflow as tf

    embeddings = spotter.get_layer(EMBEDDINGS).output
    _, count, _, size = embeddings.shape
    inputs = tf.keras.layers.Input((count, size), name=EMBEDDINGS)
    part = tf.keras.Model(embeddings, outputs, name=f"{name}_part")
    return tf.keras.Model(inputs, part(blocks.sequence(inputs)), name=name)


class HeadsObjective(SpottingObjective):
    """The costs of `SpottingObjective` without a teacher, for each head by itself."""

    def __init__(self, params: TrainingParams, train: Dataset, spotter: "tf.keras.Model"):
        """Trains each head of a spotter.

        Args:
          params: `spotting` is read.
          train: whose labels are read.
          spotter: the model whose heads are trained.
        """
        super().__init__(params, train.labels, spotter, None)
        self._of_clips = _from_embeddings(spotter, spotter.output, f"{spotter.name}_clips")

    def prepare(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", seed: "tf.Tensor"
    ) -> "tuple[tf.Tensor, tf.Tensor]":
        """Embeddings are not augmented: channels are dropped by the heads' own layers."""
        import tensorflow as tf

        return inputs, tf.cast(targets, tf.float32)

    def losses(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", outputs: "tf.Tensor"
    ) -> "tf.Tensor":
        """The mean over the heads."""
        import tensorflow as tf

        each = [
            super(HeadsObjective, self).losses(inputs, targets, own) for own in self._heads(outputs)
        ]
        return tf.add_n(each) / len(each)

    def accuracy(self, targets: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        """Share of the clips that the mean of the heads tells right."""
        import tensorflow as tf

        heads = self._heads(outputs)
        return super().accuracy(targets, tf.add_n(heads) / len(heads))

    def _heads(self, outputs: "tf.Tensor") -> "list[tf.Tensor]":
        """The outputs of each head: its logits and that of silence."""
        import tensorflow as tf

        return tf.split(outputs, outputs.shape[2] // (self._logits + 1), axis=2)

    def evaluator(self, model: "tf.keras.Model", data: Dataset) -> Callable[[], Evaluation]:
        """On embeddings, as the training."""
        return LabelEvaluator(self._of_clips, data)
