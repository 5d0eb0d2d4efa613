"""Checkpoints: everything a killed training needs to resume, and the average of the weights.

A checkpoint holds weights and their average, optimizer, best weights and position. It is a single
TensorFlow checkpoint, which is complete or absent: the position is a string variable beside the
weights.

The exponential moving average of the weights is what is evaluated and shipped (Polyak and
Juditsky, "Acceleration of stochastic approximation by averaging", 1992). It removes the
randomness of the last steps: without it, trainings on synthesized voices that differed in little
were up to ten points of misses apart on recordings.
"""

import hashlib
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws.errors import KwsError
from kws.params import Params
from kws.training.callbacks import EpochReport
from kws.training.dataset import Dataset
from kws.training.objective import Objective
from kws.training.params import TrainingParams

if TYPE_CHECKING:
    import tensorflow as tf


class WeightAverage:
    """Averages of all weights, those of batch normalization's statistics included."""

    def __init__(self, model: "tf.keras.Model", decay: float):
        """Starts with the model's weights as they are.

        Args:
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


class State(Params):
    """Where a training is.

    Attributes:
      step: steps done; with the seed it decides which batch comes next.
      cross_entropy_sum: over the steps of the epoch under way.
      accuracy_sum: over the same steps.
      epochs: reports of the epochs done.
      best_epoch: 1 for the first; 0 before any.
    """

    step: int = 0
    cross_entropy_sum: float = 0.0
    accuracy_sum: float = 0.0
    epochs: tuple[EpochReport, ...] = ()
    best_epoch: int = 0

    def after_step(self, cross_entropy: float, accuracy: float) -> "State":
        """One step further."""
        return self.model_copy(
            update={
                "step": self.step + 1,
                "cross_entropy_sum": self.cross_entropy_sum + cross_entropy,
                "accuracy_sum": self.accuracy_sum + accuracy,
            }
        )

    def after_epoch(self, report: EpochReport) -> "State":
        """The epoch is over: sums start anew, and it is the best if no other was as good."""
        best = self.best_epoch
        if not best or report.merit > self.epochs[best - 1].merit:
            best = report.epoch
        return State(step=self.step, epochs=(*self.epochs, report), best_epoch=best)


def key(
    model: "tf.keras.Model",
    train: Dataset,
    eval_data: Dataset,
    params: TrainingParams,
    objective: Objective,
    streams_fingerprint: str = "",
) -> str:
    """16 hex digits of everything that decides the result; resuming needs an equal key.

    Asked before the first step: the weights that a training begins with are part of it.
    How often checkpoints are written and how much memory the features may take decide nothing.
    """
    indifferent = {"checkpoint_every_steps", "cache_bytes"}
    parts = [
        model.to_json(),
        params.model_dump_json(exclude=indifferent),
        objective.fingerprint,
        streams_fingerprint,
        hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest(),
        train.fingerprint,
        eval_data.fingerprint,
        repr((train.labels, train.scale, train.features is None)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def clear(folder: str | Path) -> None:
    """Deletes the checkpoints of all trainings in the folder, and nothing else there."""
    folder = Path(folder)
    for training in folder.iterdir() if folder.is_dir() else ():
        if re.fullmatch("[0-9a-f]{16}", training.name):
            shutil.rmtree(training)


class Checkpoints:
    """Saves and restores one training in one folder; keeps the last two."""

    def __init__(
        self,
        folder: Path,
        model: "tf.keras.Model",
        optimizer: "tf.keras.optimizers.Optimizer",
        average: WeightAverage | None = None,
    ):
        import tensorflow as tf

        self._folder = folder
        self._state = tf.Variable("", dtype=tf.string, trainable=False)
        self._best = [tf.Variable(value, trainable=False) for value in model.get_weights()]
        checkpoint = tf.train.Checkpoint(
            model=model,
            optimizer=optimizer,
            best=self._best,
            state=self._state,
            average=[] if average is None else average.variables,
        )
        self._manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=2)
        self._checkpoint = checkpoint

    def save(self, state: State, best_weights: list[np.ndarray]) -> None:
        """Writes a checkpoint; the one before stays until this is complete."""
        self._state.assign(state.to_json())
        for variable, value in zip(self._best, best_weights, strict=True):
            variable.assign(value)
        self._manager.save(checkpoint_number=state.step)

    def restore(self) -> tuple[State, list[np.ndarray]] | None:
        """Loads the last checkpoint into model and optimizer; None if there is none.

        Raises:
          KwsError: it cannot be read.
        """
        import tensorflow as tf

        path = self._manager.latest_checkpoint
        if path is None:
            return None
        try:
            self._checkpoint.restore(path).assert_consumed()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            raise KwsError(
                f"{path} is not a checkpoint of this training: {error}",
                hint=f"delete {self._folder} to train from the beginning",
            ) from error
        state = State.from_json(self._state.numpy())
        return state, [variable.numpy() for variable in self._best]
