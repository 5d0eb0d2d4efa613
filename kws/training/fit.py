"""Fits a fresh model to two datasets and returns the weights of the best epoch.

A killed training resumes from its last checkpoint and reaches the result of an uninterrupted one,
up to the order of floating-point sums between threads. It runs on a GPU if TensorFlow finds one,
otherwise on the processor's cores.
"""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from kws.training import checkpoint
from kws.training.callbacks import History, LogProgress, Progress
from kws.training.dataset import Dataset
from kws.training.objective import LabelObjective, Objective
from kws.training.params import TrainingParams
from kws.training.session import Training
from kws.training.stream_judge import EvalStreams
from kws.training.tensorboard import TensorBoard

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["History", "fit"]


log = logging.getLogger(__name__)


def fit(
    model: "tf.keras.Model",
    train: Dataset,
    eval_data: Dataset,
    params: TrainingParams,
    *,
    objective: Objective | None = None,
    streams: EvalStreams | None = None,
    log_dir: str | Path | None = None,
    checkpoint_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> History:
    """Trains the model in place.

    With `params.weight_average` every epoch is judged by the average of the weights, and the model
    ends with it. The best epoch is the one with the highest `merit` (see `kws.training.objective`);
    for labels that is the highest accuracy on `eval_data`, and among equals the lowest cross
    entropy there. With `params.early_stopping` and its metric "misses" it is the one that misses
    least on `streams` at the target rate of false accepts. With `params.keep` "last" it is the
    last.

    Args:
      model: float32 `[batch, frames, channels]` to the objective's outputs; built with
        `params.seed`.
      train: the examples that it learns from.
      eval_data: the examples that epochs are judged by; shape, type and labels as in `train`.
      params: the loop's settings.
      objective: what is minimised; None is `LabelObjective`, softmax posteriors of labels.
      streams: for early stopping on misses; not heard otherwise.
      log_dir: TensorBoard's, in subfolders `train` and `eval`; None writes none.
      checkpoint_dir: checkpoints go into a subfolder named by `checkpoint.key`, so one of other
        data or settings is never resumed; None writes none.
      progress: is told of every step and epoch; None logs.

    Raises:
      KwsError: early stopping on misses without streams; data that cannot do what params ask.
    """
    if params.sampling != "natural":
        train = train.with_sampling(params.sampling)
    if objective is None:
        objective = LabelObjective(train, params)
    watchers: list[Progress] = [progress or LogProgress()]
    board = TensorBoard(str(log_dir)) if log_dir is not None else None
    if board is not None:
        watchers.append(board)
    training = Training(model, train, eval_data, params, objective, watchers)
    heard = streams if params.early_stopping and params.early_stopping.hears_streams else None
    training.judge_by(heard)
    if checkpoint_dir is not None:
        heard_fingerprint = heard.fingerprint if heard else ""
        key = checkpoint.key(model, train, eval_data, params, objective, heard_fingerprint)
        training.resume(Path(checkpoint_dir) / key)
    if board is not None:
        board.on_inputs(*training.first_inputs())
    history = training.run()
    log.info("Trained: %s", history.line())
    if board is not None:
        board.close()
    return history


def prepare_device() -> str:
    """Has TensorFlow take a GPU's memory as it needs it, not all at once, and logs what trains.

    To be called before TensorFlow's first operation. Where it comes later, the memory stays as it
    was taken. The loop is not spread over several GPUs: the first one trains.

    Returns:
      The device in words, as it is logged.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # TensorFlow has initialised it already
            log.warning("%s has its memory already", gpu.name)
    if gpus:
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "unnamed")
        idle = f"; {len(gpus) - 1} more are not used" if len(gpus) > 1 else ""
        words = f"GPU {name}{idle}"
    else:
        words = f"CPU, {os.cpu_count()} cores: TensorFlow sees no GPU"
    # A logger of its own: the terminal keeps this line (pipeline/runners/terminal_progress.py).
    log.getChild("device").info("Training on %s", words)
    return words
