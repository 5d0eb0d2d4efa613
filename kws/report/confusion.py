"""The confusion matrix, and the figures of each class that follow from it."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kws.detection.rates import Share, share


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """One class against all others.

    Attributes:
      label: the class.
      count: examples that are of it (support).
      predicted: examples that the model predicted as it.
      precision: the share of the predicted that is correct; NaN if nothing was predicted.
      recall: the share of its examples that was found; NaN if there are none.
      false_positive_rate: the share of other examples predicted as it; NaN if there are none.
    """

    label: str
    count: int
    predicted: int
    precision: float
    recall: float
    false_positive_rate: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON; NaN becomes None."""
        values = dataclasses.asdict(self)
        return {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in values.items()
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfusionMatrix:
    """Counts of labels and predictions.

    Attributes:
      labels: of rows and columns.
      counts: int64 `[labels, labels]`; rows are the truth, columns the prediction.
    """

    labels: list[str]
    counts: np.ndarray

    @classmethod
    def of(
        cls, truth: Sequence[int] | np.ndarray, predicted: Sequence[int] | np.ndarray,
        labels: Sequence[str],
    ) -> "ConfusionMatrix":  # fmt: skip
        """Counts pairs of label indices, both `[n]`."""
        counts = np.zeros((len(labels), len(labels)), np.int64)
        np.add.at(counts, (np.asarray(truth, np.int64), np.asarray(predicted, np.int64)), 1)
        return cls(labels=list(labels), counts=counts)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ConfusionMatrix":
        """Reads `labels` and `counts` of `to_dict`."""
        return cls(labels=list(values["labels"]), counts=np.array(values["counts"], np.int64))

    @property
    def total(self) -> int:
        """Examples counted."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> Share:
        """Examples on the diagonal, with 95 % bounds."""
        return share(int(np.trace(self.counts)), self.total)

    def per_class(self) -> list[ClassFigures]:
        """Figures of each label, in order."""
        correct = np.diag(self.counts)
        actual, predicted = self.counts.sum(axis=1), self.counts.sum(axis=0)
        return [
            ClassFigures(
                label=label,
                count=int(actual[i]),
                predicted=int(predicted[i]),
                precision=_ratio(correct[i], predicted[i]),
                recall=_ratio(correct[i], actual[i]),
                false_positive_rate=_ratio(predicted[i] - correct[i], self.total - actual[i]),
            )
            for i, label in enumerate(self.labels)
        ]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: labels, counts, accuracy with bounds, and the figures of each class."""
        return {
            "labels": self.labels,
            "counts": self.counts.tolist(),
            "accuracy": self.accuracy.to_dict(),
            "per_class": [figures.to_dict() for figures in self.per_class()],
        }


def _ratio(part: int, whole: int) -> float:
    return float(part / whole) if whole else math.nan
