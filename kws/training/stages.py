"""The stages of a training: teachers first, then the model, then its tuning for int8.

Without the sections `distillation` and `quantization_aware` there is only the second. Every stage
has checkpoints of its own: a killed training goes on in the stage that it was in, and the stages
before it are read back.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws.training.callbacks import Progress
from kws.training.dataset import Dataset
from kws.training.distillation import DistillationObjective, TeacherReport, train_teachers
from kws.training.fit import History, fit
from kws.training.objective import LabelObjective, Objective
from kws.training.params import TrainingParams
from kws.training.stream_judge import EvalStreams

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trained:
    """The outcome.

    Attributes:
      model: to be exported; with fake quantization if it was tuned.
      plain: the model that was given, with the weights of its own best epoch.
      history: of `plain`.
      teacher: None without distillation.
      tuning: None without quantization-aware training.
    """

    model: "tf.keras.Model"
    plain: "tf.keras.Model"
    history: History
    teacher: TeacherReport | None
    tuning: History | None


def run(
    model: "tf.keras.Model",
    train: Dataset,
    eval_data: Dataset,
    params: TrainingParams,
    *,
    calibration: np.ndarray | None = None,
    objective: Objective | None = None,
    streams: EvalStreams | None = None,
    log_dir: str | Path | None = None,
    checkpoint_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Runs all stages that `params` ask for.

    Args:
      model: freshly built, or with weights to start from; trained in place.
      train: see `kws.training.fit.fit`.
      eval_data: see `kws.training.fit.fit`.
      params: see `kws.training.fit.fit`.
      streams: see `kws.training.fit.fit`.
      checkpoint_dir: see `kws.training.fit.fit`.
      progress: see `kws.training.fit.fit`.
      calibration: see `quantization_aware.tune`; None: examples of `train`.
      objective: of the model, and inside its distillation; None is `LabelObjective`.
      log_dir: TensorBoard's; teachers and tuning get subfolders.
    """
    teacher = None
    # A stage's checkpoints stay good when only a later one is set otherwise.
    own = params.model_copy(update={"distillation": None, "quantization_aware": None})
    if params.distillation is not None:
        teachers, teacher = train_teachers(
            train,
            eval_data,
            params,
            checkpoint_dir=checkpoint_dir,
            log_dir=log_dir,
            progress=progress,
        )
        if objective is None:
            objective = LabelObjective(train.with_sampling(params.sampling), own)
        objective = DistillationObjective(objective, teachers, params.distillation)
    history = fit(
        model,
        train,
        eval_data,
        own,
        objective=objective,
        streams=streams,
        log_dir=log_dir,
        checkpoint_dir=checkpoint_dir,
        progress=progress,
    )
    if params.quantization_aware is None:
        return Trained(model=model, plain=model, history=history, teacher=teacher, tuning=None)

    from kws.training import quantization_aware

    if calibration is None:
        calibration = quantization_aware.calibration_features(train, params.seed)
    tuned, tuning = quantization_aware.tune(
        model,
        train,
        eval_data,
        params,
        calibration,
        objective=objective,
        log_dir=None if log_dir is None else Path(log_dir) / "quantization_aware",
        checkpoint_dir=checkpoint_dir,
        progress=progress,
    )
    return Trained(model=tuned, plain=model, history=history, teacher=teacher, tuning=tuning)
