"""The trained float model as a folder: a SavedModel, and beside it what its numbers mean."""

from pathlib import Path
from typing import TYPE_CHECKING

from kws import code_version
from kws.code_version import CodeVersion
from kws.features import files
from kws.features.params import FeatureParams
from kws.models import cost
from kws.models.params import ModelParams
from kws.params import Params
from kws.training.dataset import Dataset
from kws.training.distillation import TeacherReport
from kws.training.fit import History
from kws.training.params import TrainingParams

if TYPE_CHECKING:
    import tensorflow as tf

TRAINING_FILE = "training.json"


class TrainingReport(Params):
    """`training.json`: how a float model came to be.

    Attributes:
      parameters: weights of the float model, batch normalization's averages included.
      macs: multiply-accumulates of one inference.
      label_counts: training examples of each label.
      teacher: who taught it; None without distillation.
      quantization_aware: how it was tuned for int8 after its training; None if it was not.
      code: what trained it; None of trainings before this was noted.
    """

    model: ModelParams
    training: TrainingParams
    parameters: int
    macs: int
    feature_shape: tuple[int, int]
    label_counts: dict[str, int]
    eval_examples: int
    history: History
    teacher: TeacherReport | None = None
    quantization_aware: History | None = None
    code: CodeVersion | None = None


def report(
    model: "tf.keras.Model",
    train: Dataset,
    eval_data: Dataset,
    model_params: ModelParams,
    training_params: TrainingParams,
    history: History,
    teacher: TeacherReport | None = None,
    tuning: History | None = None,
) -> TrainingReport:
    """Sums up a finished training; `model` is the one without fake quantization."""
    counts = zip(train.labels, train.label_counts.tolist(), strict=True)
    return TrainingReport(
        model=model_params,
        training=training_params,
        parameters=model.count_params(),
        macs=cost.macs(model),
        feature_shape=train.feature_shape,
        label_counts=dict(counts),
        eval_examples=len(eval_data),
        history=history,
        teacher=teacher,
        quantization_aware=tuning,
        code=code_version.find(),
    )


def export(
    model: "tf.keras.Model",
    folder: str | Path,
    labels: tuple[str, ...],
    feature_params: FeatureParams,
    training: TrainingReport,
) -> None:
    """Writes a Keras 2 SavedModel with `labels.txt`, `frontend.json` and `training.json` in it.

    Its signature `serving_default` takes float32 `[batch, frames, channels]` and gives posteriors
    `[batch, labels]`. The optimizer is left out.
    """
    folder = Path(folder)
    model.save(str(folder), save_format="tf", include_optimizer=False)
    files.write_labels(folder, labels)
    files.write(folder, feature_params)
    (folder / TRAINING_FILE).write_text(training.model_dump_json(indent=2) + "\n")
