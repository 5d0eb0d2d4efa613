"""A training in progress: epochs of compiled steps, an evaluation each, checkpoints in between.

The learning rate is a function of the step, so a resumed run needs no state for it.
"""

import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws.errors import KwsError
from kws.training.callbacks import EpochReport, History, Progress, StepReport
from kws.training.checkpoint import Checkpoints, State, WeightAverage
from kws.training.dataset import Dataset
from kws.training.objective import Objective
from kws.training.params import TrainingParams
from kws.training.stream_judge import EvalStreams, StreamJudge

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


def learning_rate(step: int, total_steps: int, params: TrainingParams) -> float:
    """The rate of one step.

    After a linear warm-up over the first `warmup_share` of the steps:

      - constant: stays at `params.learning_rate`.
      - step: a tenth of it once `params.step_share` of all steps are done (the TensorFlow speech
        tutorial's way).
      - cosine: falls to zero along half a cosine (Loshchilov and Hutter, 2017, arXiv:1608.03983,
        one period).

    Args:
      step: 0 for the first.
      total_steps: of the whole training, at least 1.
    """
    peak = params.learning_rate
    warmup_steps = int(params.warmup_share * total_steps)
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    if params.schedule == "step":
        # A share such as 15000/18000 is not exact: a millionth of a step is not one.
        return peak if step < params.step_share * total_steps - 1e-6 else peak / 10
    if params.schedule == "cosine":
        progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
        return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return peak


log = logging.getLogger(__name__)


class Training:
    """See `kws.training.fit.fit`, which makes it and runs it."""

    def __init__(
        self,
        model: "tf.keras.Model",
        train: Dataset,
        eval_data: Dataset,
        params: TrainingParams,
        objective: Objective,
        watchers: list[Progress],
    ):
        self._started = self._epoch_started = time.monotonic()
        self._model = model
        self._train = train
        self._params = params
        self._watchers = watchers
        self._steps_per_epoch = train.steps_per_epoch(params.batch_size)
        self._total_steps = self._steps_per_epoch * params.epochs
        self._train_step = TrainStep(model, train, params, objective)
        self._evaluate = objective.evaluator(model, eval_data)
        self._judged = objective.judged(model)
        self._state, self._first_step = State(), 0
        self._best_weights = model.get_weights()
        self._checkpoints: Checkpoints | None = None
        self._judge: StreamJudge | None = None
        self._step_seconds = self._evaluation_seconds = 0.0

    def judge_by(self, streams: EvalStreams | None) -> None:
        """Lets the eval streams choose the epoch, where early stopping goes by them."""
        stopping = self._params.early_stopping
        if stopping is None or not stopping.hears_streams:
            return
        if streams is None:
            raise KwsError(
                "training.early_stopping.metric=misses needs eval streams, and there are none",
                hint="set it to accuracy",
            )
        self._judge = StreamJudge(self._judged, self._train.labels, streams, stopping)

    def first_inputs(self) -> tuple[np.ndarray, list[str]]:
        """A few clips as the first step's augmentation leaves them, and what each is."""
        batches = self._train.shuffled(self._params.batch_size, self._params.seed, 0)
        inputs, targets = self._train_step.prepared(*next(batches), step=0)
        if targets.ndim != 2 or targets.shape[1] != len(self._train.labels):
            return inputs, [""] * len(inputs)
        return inputs, [_said(row, self._train.labels) for row in targets]

    def resume(self, folder: Path) -> None:
        """Goes on from the last checkpoint in the folder, if there is one; writes more there."""
        step = self._train_step
        self._checkpoints = Checkpoints(folder, self._model, step.optimizer, step.average)
        restored = self._checkpoints.restore()
        if restored is not None:
            self._state, self._best_weights = restored
            self._first_step = self._state.step
            log.info("Going on after step #%d of %d", self._first_step, self._total_steps)

    def run(self) -> History:
        """Trains to the end and leaves the model with the best epoch's weights."""
        while not self._over:
            self._run_epoch()
        self._model.set_weights(self._best_weights)
        seconds = time.monotonic() - self._started
        training_seconds = max(1e-9, seconds - self._evaluation_seconds)
        return History(
            epochs=self._state.epochs,
            best_epoch=self._state.best_epoch,
            steps=self._state.step,
            resumed_at_step=self._first_step,
            seconds=seconds,
            examples_per_second=self._examples / max(1e-9, seconds),
            evaluation_seconds=self._evaluation_seconds,
            outside_step_share=max(0.0, 1 - self._step_seconds / training_seconds),
            stopped_early=self._state.step < self._total_steps,
        )

    @property
    def _over(self) -> bool:
        """Whether all steps are done, or too many epochs in a row were none the better."""
        stopping, state = self._params.early_stopping, self._state
        if state.step >= self._total_steps:
            return True
        between_epochs = state.step % self._steps_per_epoch == 0
        if stopping is None or not between_epochs:
            return False
        return len(state.epochs) - state.best_epoch >= stopping.patience_epochs

    @property
    def _examples(self) -> int:
        """Trained on by this process."""
        return (self._state.step - self._first_step) * self._params.batch_size

    def _run_epoch(self) -> None:
        """The epoch under way, from where it is to its end."""
        params = self._params
        epoch, done = divmod(self._state.step, self._steps_per_epoch)
        for features, targets in self._train.shuffled(params.batch_size, params.seed, epoch, done):
            step = self._state.step
            rate = learning_rate(step, self._total_steps, params)
            began = time.monotonic()
            cross_entropy, accuracy = self._train_step(features, targets, step, rate)
            self._step_seconds += time.monotonic() - began
            self._state = self._state.after_step(cross_entropy, accuracy)
            self._report_step(epoch, rate, cross_entropy, accuracy)
            if self._state.step % self._steps_per_epoch == 0:
                self._end_epoch(epoch, rate)
            self._save_if_due()

    def _report_step(self, epoch: int, rate: float, cross_entropy: float, accuracy: float) -> None:
        report = StepReport(
            step=self._state.step,
            total_steps=self._total_steps,
            epoch=epoch + 1,
            learning_rate=rate,
            accuracy=accuracy,
            cross_entropy=cross_entropy,
            examples_per_second=self._examples / max(1e-9, time.monotonic() - self._started),
        )
        for watcher in self._watchers:
            watcher.on_step(report)

    def _end_epoch(self, epoch: int, rate: float) -> None:
        """Judges the epoch's model, or the average of its weights, and keeps it if it is best."""
        average = self._train_step.average
        began = time.monotonic()
        if average is not None:
            average.swap()
        evaluation, weights = self._evaluate(), self._model.get_weights()
        if self._judge is not None:
            evaluation = self._judge(evaluation)
        if self._params.keep == "last":
            evaluation = evaluation.model_copy(update={"merit": (float(epoch + 1),)})
        if average is not None:
            average.swap()
        now = time.monotonic()
        self._evaluation_seconds += now - began
        report = EpochReport(
            epoch=epoch + 1,
            epochs=self._params.epochs,
            step=self._state.step,
            learning_rate=rate,
            accuracy=self._state.accuracy_sum / self._steps_per_epoch,
            cross_entropy=self._state.cross_entropy_sum / self._steps_per_epoch,
            eval_accuracy=evaluation.accuracy,
            eval_cross_entropy=evaluation.cross_entropy,
            eval_examples=evaluation.examples,
            merit=evaluation.merit,
            metrics=evaluation.metrics,
            confusion=evaluation.confusion,
            seconds=now - self._epoch_started,
        )
        self._epoch_started = now
        self._state = self._state.after_epoch(report)
        if self._state.best_epoch == report.epoch:
            self._best_weights = weights
        for watcher in self._watchers:
            watcher.on_epoch(report, self._train.labels)

    def _save_if_due(self) -> None:
        due = self._state.step % self._params.checkpoint_every_steps == 0 or self._over
        if self._checkpoints is not None and due:
            self._checkpoints.save(self._state, self._best_weights)


def _said(target: np.ndarray, labels: Sequence[str]) -> str:
    """`yes`, or `yes 70% + no 30%` of a mixture."""
    parts = [index for index in np.argsort(-target, kind="stable") if target[index] >= 0.005]
    if len(parts) == 1:
        return labels[parts[0]]
    return " + ".join(f"{labels[index]} {target[index]:.0%}" for index in parts)
