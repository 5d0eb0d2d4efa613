"""fit: from a fresh model and two datasets to the weights of the best epoch.

A training that was killed goes on from its last checkpoint and ends where the unbroken one would
have ended, up to the order of floating-point sums between threads.
"""

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kws.params import Params
from kws.training import checkpoint, schedules
from kws.training.callbacks import EpochReport, LogProgress, Progress, StepReport, TensorBoard
from kws.training.checkpoint import Checkpoints, State
from kws.training.dataset import Dataset
from kws.training.loop import Evaluator, TrainStep
from kws.training.params import TrainingParams

if TYPE_CHECKING:
    import tensorflow as tf

log = logging.getLogger(__name__)


class History(Params):
    """What happened in a training.

    Attributes:
      epochs: a report each.
      best_epoch: whose weights the model has now; 1 for the first.
      steps: done in all.
      resumed_at_step: 0 if this training was not resumed.
      seconds: of this process, reading excluded.
      examples_per_second: of this process; evaluation and checkpoints are in the time.
    """

    epochs: tuple[EpochReport, ...]
    best_epoch: int
    steps: int
    resumed_at_step: int
    seconds: float
    examples_per_second: float

    @property
    def best(self) -> EpochReport:
        return self.epochs[self.best_epoch - 1]


def fit(
    model: "tf.keras.Model",
    train: Dataset,
    eval_data: Dataset,
    params: TrainingParams,
    *,
    log_dir: str | Path | None = None,
    checkpoint_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> History:
    """Trains the model in place.

    With `params.weight_average` every epoch is judged by the average of the weights, and the model
    ends with it. The best epoch is the one with the highest accuracy on `eval_data`; among equals,
    the one with the lowest cross entropy there.

    Args:
      model: float32 `[batch, frames, channels]` to softmax posteriors; built with `params.seed`.
      train, eval_data: examples with the same shape, type and labels.
      params: the loop's settings.
      log_dir: TensorBoard's, in subfolders `train` and `eval`; None writes none.
      checkpoint_dir: checkpoints go into a subfolder named by `checkpoint.key`, so one of other
        data or settings is never resumed; None writes none.
      progress: is told of every step and epoch; None logs.
    """
    started = time.monotonic()
    watchers: list[Progress] = [progress or LogProgress()]
    if log_dir is not None:
        watchers.append(TensorBoard(str(log_dir)))
    steps_per_epoch = train.steps_per_epoch(params.batch_size)
    total_steps = steps_per_epoch * params.epochs
    train_step = TrainStep(model, train, params)
    evaluate = Evaluator(model, eval_data)
    state, best_weights = State(), model.get_weights()
    checkpoints = None
    if checkpoint_dir is not None:
        folder = Path(checkpoint_dir) / checkpoint.key(model, train, eval_data, params)
        checkpoints = Checkpoints(folder, model, train_step.optimizer, train_step.average)
        restored = checkpoints.restore()
        if restored is not None:
            state, best_weights = restored
            log.info("Going on after step #%d of %d", state.step, total_steps)
    first_step = state.step
    epoch_started = started
    while state.step < total_steps:
        epoch, done = divmod(state.step, steps_per_epoch)
        for features, label_index in train.shuffled(params.batch_size, params.seed, epoch, done):
            rate = schedules.learning_rate(state.step, total_steps, params)
            cross_entropy, accuracy = train_step(features, label_index, state.step, rate)
            state = state.after_step(cross_entropy, accuracy)
            examples = (state.step - first_step) * params.batch_size
            step_report = StepReport(
                step=state.step,
                total_steps=total_steps,
                epoch=epoch + 1,
                learning_rate=rate,
                accuracy=accuracy,
                cross_entropy=cross_entropy,
                examples_per_second=examples / max(1e-9, time.monotonic() - started),
            )
            for watcher in watchers:
                watcher.on_step(step_report)
            if state.step % steps_per_epoch == 0:
                average = train_step.average
                if average is not None:
                    average.swap()
                evaluation, weights = evaluate(), model.get_weights()
                if average is not None:
                    average.swap()
                now = time.monotonic()
                report = EpochReport(
                    epoch=epoch + 1,
                    epochs=params.epochs,
                    step=state.step,
                    learning_rate=rate,
                    accuracy=state.accuracy_sum / steps_per_epoch,
                    cross_entropy=state.cross_entropy_sum / steps_per_epoch,
                    eval_accuracy=evaluation.accuracy,
                    eval_cross_entropy=evaluation.cross_entropy,
                    confusion=evaluation.confusion,
                    seconds=now - epoch_started,
                )
                epoch_started = now
                state = state.after_epoch(report)
                if state.best_epoch == report.epoch:
                    best_weights = weights
                for watcher in watchers:
                    watcher.on_epoch(report, train.labels)
            due = state.step % params.checkpoint_every_steps == 0 or state.step == total_steps
            if checkpoints and due:
                checkpoints.save(state, best_weights)
    model.set_weights(best_weights)
    for watcher in watchers:
        if isinstance(watcher, TensorBoard):
            watcher.close()
    seconds = time.monotonic() - started
    return History(
        epochs=state.epochs,
        best_epoch=state.best_epoch,
        steps=state.step,
        resumed_at_step=first_step,
        seconds=seconds,
        examples_per_second=(state.step - first_step) * params.batch_size / max(1e-9, seconds),
    )
