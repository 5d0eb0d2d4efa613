"""The confusion matrix, and the figures of each class that follow from it."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kws.streaming.rates import Share, share


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """One class against all others.

    Attributes:
      label: the class.
      count: examples that are of it (support).
      predicted: examples that were taken for it.
      precision: of those predicted, the share that is right; NaN where nothing was predicted.
      recall: of those that are, the share that was found; NaN where there are none.
      false_positive_rate: of those that are not, the share taken for it; NaN where all are.
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
    """What was and what was said.

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
        """Takes `labels` and `counts` of what `to_dict` gave."""
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
        right = np.diag(self.counts)
        are, said = self.counts.sum(axis=1), self.counts.sum(axis=0)
        return [
            ClassFigures(
                label=label,
                count=int(are[i]),
                predicted=int(said[i]),
                precision=_ratio(right[i], said[i]),
                recall=_ratio(right[i], are[i]),
                false_positive_rate=_ratio(said[i] - right[i], self.total - are[i]),
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
