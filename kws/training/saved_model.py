"""The trained float model as a folder: a SavedModel and a description of its numbers.

It can be written, loaded with or without fake quantization, and scored on windows of features
before it is converted. Figures shown to users come from the int8 file (`kws.export`).
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws import code_version
from kws import features as frontends
from kws.code_version import CodeVersion
from kws.errors import KwsError
from kws.features import files, model_input
from kws.features.params import FeatureParams
from kws.models import cost, registry
from kws.models.params import ModelParams
from kws.params import Params
from kws.training import saved_model
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


def load(folder: str | Path) -> "tf.keras.Model":
    """The Keras model of the folder, as it was exported; not compiled."""
    import tensorflow as tf

    if not _quantization_aware(folder):
        return tf.keras.models.load_model(str(folder), compile=False)
    from kws.training import quantization_aware

    with quantization_aware.scope():
        return tf.keras.models.load_model(str(folder), compile=False)


def load_plain(folder: str | Path) -> "tf.keras.Model":
    """The Keras model of the folder with the layers that its architecture has, and no others.

    Raises:
      KwsError: it has fake quantization, and `training.json` is of another zoo than this.
    """
    model = load(folder)
    if not _quantization_aware(folder):
        return model
    from kws.training import quantization_aware

    written = json.loads((Path(folder) / TRAINING_FILE).read_text())
    frames, channels = written["feature_shape"]
    labels = files.read_labels(folder)
    plain = registry.build(
        ModelParams(**written["model"]),
        (frames, channels),
        len(labels),
        context_frames=files.read(folder).context_frames,
    )
    try:
        quantization_aware.copy_plain_weights(model, plain)
    except (KeyError, ValueError) as error:
        raise KwsError(f"{folder} holds another network than its {TRAINING_FILE} says") from error
    return plain


def _quantization_aware(folder: str | Path) -> bool:
    file = Path(folder) / TRAINING_FILE
    if not file.is_file():
        return False
    return bool(json.loads(file.read_text())["training"].get("quantization_aware"))


class FloatModel:
    """A Keras model with what its numbers mean; a `kws.detection.posteriors.ScoringModel`.

    Attributes:
      model: float32 `[batch, frames, channels]` to posteriors `[batch, labels]`.
      labels: in the order of the outputs.
      feature_params: of the frontend that the model was trained with.
    """

    def __init__(self, model: "tf.keras.Model", labels: list[str], feature_params: FeatureParams):
        import tensorflow as tf

        self.model = model
        self.labels = labels
        self.feature_params = feature_params
        scale = model_input.input_scale(feature_params)
        dtype = frontends.frontend_class(feature_params.frontend).dtype
        self._predict = tf.function(
            lambda features: model(tf.cast(features, tf.float32) * scale, training=False),
            autograph=False,
            input_signature=[tf.TensorSpec([None, *feature_params.feature_shape], dtype)],
        )

    @classmethod
    def load(cls, folder: str | Path) -> "FloatModel":
        """Reads what `kws.training.saved_model` wrote.

        Raises:
          KwsError: there is no `frontend.json`.
        """
        feature_params = files.read(folder)
        return cls(saved_model.load(folder), files.read_labels(folder), feature_params)

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        """float32 `[n, labels]` of `[n, frames, channels]` in the frontend's own type."""
        return self._predict(np.ascontiguousarray(features)).numpy()
