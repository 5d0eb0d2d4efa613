"""Distillation: a small model learns what a large one says of each clip, not only the label.

Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015 (arXiv:1503.02531),
section 2. With z the model's logits, v the teacher's, T the temperature and y the label:

    loss = (1 - share) * H(y, softmax(z)) + share * T^2 * H(softmax(v / T), softmax(z / T))

H is cross entropy; T^2 keeps the gradients of the soft part as large as those of the hard part. The
teacher hears the same augmented clips as the model (Beyer et al., "Knowledge distillation: A good
teacher is patient and consistent", CVPR 2022, arXiv:2106.05237, section 3).
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kws.models import registry
from kws.models.params import ModelParams
from kws.params import Params
from kws.training.callbacks import Progress
from kws.training.dataset import Dataset
from kws.training.fit import fit
from kws.training.objective import Evaluation, LabelObjective, Objective
from kws.training.params import DistillationParams, TrainingParams

if TYPE_CHECKING:
    import tensorflow as tf

log = logging.getLogger(__name__)

_SMALLEST = 1e-7
"""Posteriors below are taken for this one where their logits are not known."""


class TeacherReport(Params):
    """What taught, for `training.json`.

    Attributes:
      teachers: how many; posteriors are their mean.
      parameters: of one teacher.
      eval_accuracy: of all together, on the eval split.
      eval_cross_entropy: of all together, on the eval split.
      each_eval_accuracy: of every teacher by itself.
      seconds: spent on teachers by this process.
    """

    model: ModelParams
    teachers: int
    parameters: int
    eval_accuracy: float
    eval_cross_entropy: float
    each_eval_accuracy: tuple[float, ...]
    seconds: float


class DistillationObjective(Objective):
    """What `inner` minimises, mixed with the cross entropy against the teachers' posteriors."""

    def __init__(
        self,
        inner: Objective,
        teachers: "Sequence[tf.keras.Model]",
        params: DistillationParams,
    ):
        """Teaches what `inner` trains.

        Args:
          inner: of labels; augments, weighs and evaluates.
          teachers: trained; their weights do not change.
          params: share and temperature are read.
        """
        self._inner = inner
        self._teachers = list(teachers)
        self._params = params

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for teacher in self._teachers:
            for values in teacher.get_weights():
                digest.update(values.tobytes())
        mixed = f"{self._params.share} of {self._params.temperature}"
        return f"{self._inner.fingerprint}, {mixed} of teachers {digest.hexdigest()[:16]}"

    def target_spec(self, batch_size: int) -> "tf.TensorSpec":
        return self._inner.target_spec(batch_size)

    def prepare(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", seed: "tf.Tensor"
    ) -> "tuple[tf.Tensor, tf.Tensor]":
        return self._inner.prepare(inputs, targets, seed)

    def losses(
        self, inputs: "tf.Tensor", targets: "tf.Tensor", outputs: "tf.Tensor"
    ) -> "tf.Tensor":
        share, temperature = self._params.share, self._params.temperature
        # Batch normalization keeps the teachers' own averages: they answer as they will anywhere.
        taught = [posteriors(teacher(inputs, training=False)) for teacher in self._teachers]
        soft = soft_cross_entropy(sum(taught) / len(taught), outputs, temperature)
        if share == 1:
            return soft
        return (1 - share) * self._inner.losses(inputs, targets, outputs) + share * soft

    def weights(self, targets: "tf.Tensor") -> "tf.Tensor":
        return self._inner.weights(targets)

    def accuracy(self, targets: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        return self._inner.accuracy(targets, outputs)

    def evaluator(self, model: "tf.keras.Model", data: Any) -> Callable[[], Evaluation]:
        return self._inner.evaluator(model, data)


def posteriors(outputs: "tf.Tensor") -> "tf.Tensor":
    """A teacher's answers as constants: no gradient flows into it."""
    import tensorflow as tf

    return tf.stop_gradient(outputs)


def soft_cross_entropy(
    taught: "tf.Tensor", outputs: "tf.Tensor", temperature: float
) -> "tf.Tensor":
    """T^2 H(softened `taught`, softened `outputs`), float32 `[batch]`.

    Posteriors know their logits up to a constant, which softmax does not see: softmax(log p / T) is
    softmax(z / T).

    Args:
      taught: posteriors `[batch, labels]`.
      outputs: the model's posteriors; if a softmax made them in this graph its inputs are used,
        which are exact however small a posterior is.
      temperature: T.
    """
    import tensorflow as tf

    logits = getattr(outputs, "_keras_logits", None)
    if logits is None:
        logits = tf.math.log(tf.maximum(outputs, _SMALLEST))
    target = tf.nn.softmax(tf.math.log(tf.maximum(taught, _SMALLEST)) / temperature)
    soft = tf.nn.softmax_cross_entropy_with_logits(target, logits / temperature)
    return temperature**2 * soft


def train_teachers(
    train: Dataset,
    eval_data: Dataset,
    params: TrainingParams,
    *,
    checkpoint_dir: str | Path | None = None,
    log_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> "tuple[list[tf.keras.Model], TeacherReport]":
    """Trains the teachers of `params.distillation` one after the other, as any model is trained.

    The first has the training's seed, the others the next ones. Each has checkpoints of its own in
    `checkpoint_dir`, so a killed training goes on in the teacher or in the model that it was at.

    Args:
      train: the model's own.
      eval_data: the model's own.
      params: the model's own; what concerns later stages or the choice of its epoch is not the
        teachers': they are chosen by accuracy.
      checkpoint_dir: see `kws.training.fit.fit`.
      log_dir: TensorBoard's; a subfolder for each teacher.
      progress: see `kws.training.fit.fit`.
    """
    wanted = params.distillation
    assert wanted is not None
    own = params.model_copy(
        update={
            "epochs": wanted.teacher_epochs or params.epochs,
            "distillation": None,
            "quantization_aware": None,
            "early_stopping": None,
        }
    )
    teachers, accuracies, seconds = [], [], 0.0
    for number in range(wanted.teachers):
        of_teacher = own.model_copy(update={"seed": params.seed + number})
        teacher = registry.build(
            wanted.teacher, train.feature_shape, len(train.labels), seed=of_teacher.seed
        )
        log.info("Teacher %d of %d: %s", number + 1, wanted.teachers, wanted.teacher.name)
        history = fit(
            teacher,
            train,
            eval_data,
            of_teacher,
            log_dir=None if log_dir is None else Path(log_dir) / f"teacher_{number + 1}",
            checkpoint_dir=checkpoint_dir,
            progress=progress,
        )
        teacher.trainable = False
        teachers.append(teacher)
        accuracies.append(history.best.eval_accuracy)
        seconds += history.seconds
    together = _evaluate(teachers, train, eval_data, own)
    log.info(
        "%d teacher(s): accuracy %.2f %% of %d eval examples",
        len(teachers),
        100 * together.accuracy,
        together.examples,
    )
    report = TeacherReport(
        model=wanted.teacher,
        teachers=len(teachers),
        parameters=teachers[0].count_params(),
        eval_accuracy=together.accuracy,
        eval_cross_entropy=together.cross_entropy,
        each_eval_accuracy=tuple(accuracies),
        seconds=seconds,
    )
    return teachers, report


def _evaluate(
    teachers: "Sequence[tf.keras.Model]", train: Dataset, eval_data: Dataset, params: TrainingParams
) -> Evaluation:
    """The mean of the teachers' posteriors on the eval split."""

    def together(inputs: "tf.Tensor", training: bool) -> "tf.Tensor":
        return sum(teacher(inputs, training=training) for teacher in teachers) / len(teachers)

    return LabelObjective(train, params).evaluator(together, eval_data)()
