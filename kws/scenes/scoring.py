"""Scores a model on scenes step by step, in float and as on the device, and counts the result.

Counts are of single steps: precision, recall and F1.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kws.features import model_input
from kws.features.params import FeatureParams

if TYPE_CHECKING:
    import tensorflow as tf


class DeviceModel(Protocol):
    """What `device_scores` needs; `Int8StreamingModel` is the one that ships."""

    def quantize(self, features: np.ndarray) -> np.ndarray: ...

    def inferences(self, inputs: np.ndarray) -> np.ndarray: ...

    def run_inferences(self, inputs: np.ndarray) -> np.ndarray: ...

    def dequantize(self, outputs: np.ndarray) -> np.ndarray: ...


def device_scores(model: DeviceModel, features: np.ndarray, steps: int) -> np.ndarray:
    """float32 `[steps]` of a scene `[frames, channels]`, from the start of a stream.

    The training form's first answer comes when its convolution is full. The device answers before
    that too, with zeros for what it has not heard; those answers are left out here.

    Raises:
      ValueError: the model gives fewer answers than `steps`.
    """
    inputs = model.inferences(model.quantize(features[None]))
    scores = model.dequantize(model.run_inferences(inputs))[0, :, 0]
    if len(scores) < steps:
        raise ValueError(f"the model gives {len(scores)} answers, the scene has {steps} labels")
    return scores[len(scores) - steps :]


def float_scores(
    model: "tf.keras.Model", params: FeatureParams
) -> Callable[[np.ndarray], np.ndarray]:
    """A function from the features of a scene, `[frames, channels]`, to float32 `[steps]`.

    Compiled: a recurrent layer called as it is runs its loop in Python, seconds for each scene.
    """
    import tensorflow as tf

    predict = tf.function(
        lambda inputs: model(inputs, training=False),
        autograph=False,
        input_signature=[tf.TensorSpec([1, *params.feature_shape], tf.float32)],
    )

    def score(features: np.ndarray) -> np.ndarray:
        return predict(model_input.to_model_input(features[None], params)).numpy()[0, :, 0]

    return score


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepCounts:
    """Steps by what they are labelled and what the model says of them.

    Attributes:
      true_positives: labelled 1, said 1; and so on.
      log_loss: sum of the binary cross entropies of all steps, natural logarithm.
    """

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    true_negatives: int = 0
    log_loss: float = 0.0

    def __add__(self, other: "StepCounts") -> "StepCounts":
        names = (field.name for field in dataclasses.fields(self))
        return StepCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def steps(self) -> int:
        return sum(sum(row) for row in self.confusion)

    @property
    def confusion(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows are the labels 0 and 1, columns what was said."""
        return (
            (self.true_negatives, self.false_positives),
            (self.false_negatives, self.true_positives),
        )

    @property
    def accuracy(self) -> float:
        return _ratio(self.true_positives + self.true_negatives, self.steps)

    @property
    def precision(self) -> float:
        """NaN where nothing was said to be 1."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """NaN where nothing is labelled 1."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float:
        """Harmonic mean of both, as a share of counts: 0 without a true positive, NaN where there
        is nothing labelled or said to be 1."""
        errors = self.false_positives + self.false_negatives
        return _ratio(2 * self.true_positives, 2 * self.true_positives + errors)

    @property
    def cross_entropy(self) -> float:
        return self.log_loss / self.steps if self.steps else math.nan

    def to_dict(self) -> dict[str, Any]:
        """For JSON: counts and figures; NaN becomes None."""
        figures = {
            name: getattr(self, name)
            for name in ("accuracy", "precision", "recall", "f1", "cross_entropy")
        }
        counts = dataclasses.asdict(self)
        del counts["log_loss"]
        return {
            "steps": self.steps,
            **{key: None if math.isnan(value) else value for key, value in figures.items()},
            **counts,
        }

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.1%}, recall {self.recall:.1%}, F1 {self.f1:.3f} of "
            f"{self.steps:,} steps, {self.true_positives + self.false_negatives:,} labelled 1"
        )


def count_steps(labels: np.ndarray, scores: np.ndarray, threshold: float = 0.5) -> StepCounts:
    """Counts the steps of scenes.

    Args:
      labels: 0 and 1, of any shape.
      scores: probabilities of 1, of the same shape.
      threshold: at least this is said to be 1.

    Raises:
      ValueError: the shapes differ.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    if labels.shape != scores.shape:
        raise ValueError(f"labels are {list(labels.shape)}, scores {list(scores.shape)}")
    actual, said = labels.astype(bool), scores >= threshold
    right = np.where(actual, scores, 1 - scores)
    return StepCounts(
        true_positives=int(np.count_nonzero(actual & said)),
        false_positives=int(np.count_nonzero(~actual & said)),
        false_negatives=int(np.count_nonzero(actual & ~said)),
        true_negatives=int(np.count_nonzero(~actual & ~said)),
        log_loss=float(-np.log(np.maximum(right, 1e-7)).sum()),
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
