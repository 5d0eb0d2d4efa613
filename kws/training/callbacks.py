"""What the log and the user are told during a training, and its history (`training.json`)."""

import logging
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pydantic

from kws.params import Params

log = logging.getLogger(__name__)


class StepReport(Params):
    """One training step.

    Attributes:
      step: 1 for the first.
      total_steps: of the whole training.
      epoch: 1 for the first.
      learning_rate: of this step.
      accuracy: of this step's batch, with augmentation and dropout.
      cross_entropy: of the same.
      examples_per_second: since the start or the resumption of this training.
    """

    step: int
    total_steps: int
    epoch: int
    learning_rate: float
    accuracy: float
    cross_entropy: float
    examples_per_second: float

    def line(self) -> str:
        """`Step #120 of 990: rate 0.002000, accuracy 71.9%, cross entropy 0.894310 (1,250 ...)`."""
        return (
            f"Step #{self.step} of {self.total_steps}: rate {self.learning_rate:.6f}, "
            f"accuracy {self.accuracy:.1%}, cross entropy {self.cross_entropy:.6f} "
            f"({self.examples_per_second:,.0f} examples/s)"
        )


class EpochReport(Params):
    """One epoch: the mean of its training batches, and the eval split after it.

    Attributes:
      eval_examples: N of the eval figures.
      merit: higher is better, compared from left to right; chooses the epoch.
      metrics: what else was measured on the eval split, by name.
      confusion: counts `[labels][labels]`, rows what was said, columns what the model said.
    """

    epoch: int
    epochs: int
    step: int
    learning_rate: float
    accuracy: float
    cross_entropy: float
    eval_accuracy: float
    eval_cross_entropy: float
    eval_examples: int
    merit: tuple[float, ...]
    metrics: dict[str, float] = pydantic.Field(default_factory=dict)
    confusion: tuple[tuple[int, ...], ...]
    seconds: float

    def line(self) -> str:
        more = "".join(
            f", {name.replace('_', ' ')} {value:.4g}" for name, value in self.metrics.items()
        )
        return (
            f"Epoch {self.epoch} of {self.epochs} (step #{self.step}): rate "
            f"{self.learning_rate:.6f}, accuracy {self.accuracy:.1%}, cross entropy "
            f"{self.cross_entropy:.6f}; eval accuracy {self.eval_accuracy:.1%} "
            f"(N={self.eval_examples}), cross entropy {self.eval_cross_entropy:.6f}{more} "
            f"({self.seconds:.0f} s)"
        )


class Progress(Protocol):
    """Whoever wants to watch a training."""

    def on_step(self, report: StepReport) -> None: ...

    def on_epoch(self, report: EpochReport, labels: Sequence[str]) -> None: ...


class LogProgress:
    """Log lines: a step every few seconds, each epoch with its confusion matrix.

    They are the progress display too: whoever runs the pipeline on a terminal shows the latest.
    """

    def __init__(self, every_seconds: float = 5.0):
        self._every_seconds = every_seconds
        self._last = time.monotonic()

    def on_step(self, report: StepReport) -> None:
        now = time.monotonic()
        if now - self._last >= self._every_seconds or report.step == report.total_steps:
            self._last = now
            log.info(report.line())

    def on_epoch(self, report: EpochReport, labels: Sequence[str]) -> None:
        log.info("%s\n%s", report.line(), confusion_table(report.confusion, labels))


def confusion_table(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> str:
    """The matrix as text: a row for what was said, a column for what the model said."""
    counts = np.asarray(confusion)
    width = max(len(label) for label in labels)
    columns = [max(len(label), len(str(counts.max()))) for label in labels]
    head = " " * (width + 2) + "  ".join(
        label.rjust(column) for label, column in zip(labels, columns, strict=True)
    )
    rows = [
        label.rjust(width)
        + "  "
        + "  ".join(str(count).rjust(column) for count, column in zip(row, columns, strict=True))
        for label, row in zip(labels, counts, strict=True)
    ]
    return "\n".join(["Confusion matrix (rows: said, columns: recognized)", head, *rows])


class History(Params):
    """What happened in a training.

    Attributes:
      epochs: a report each.
      best_epoch: whose weights the model has now; 1 for the first.
      steps: done in all.
      resumed_at_step: 0 if this training was not resumed.
      seconds: of this process, reading excluded.
      examples_per_second: of this process; evaluation and checkpoints are in the time.
      evaluation_seconds: of this process, spent on scoring epochs.
      outside_step_share: of the rest of the time, the share that passed outside the train step:
        making batches, logs, checkpoints.
      stopped_early: whether `early_stopping` ended it before the last epoch.
    """

    epochs: tuple[EpochReport, ...]
    best_epoch: int
    steps: int
    resumed_at_step: int
    seconds: float
    examples_per_second: float
    evaluation_seconds: float = 0.0
    outside_step_share: float = 0.0
    stopped_early: bool = False

    def line(self) -> str:
        """`11,520 examples in 12 s, 960 examples/s; 2.1% of the time outside the train step ...`"""
        return (
            f"{self.examples_per_second * self.seconds:,.0f} examples in {self.seconds:.0f} s, "
            f"{self.examples_per_second:,.0f} examples/s; {self.outside_step_share:.1%} of the "
            f"time outside the train step, and {self.evaluation_seconds:.0f} s for evaluation. "
            f"Best epoch: {self.best_epoch} of {len(self.epochs)}"
            + (", stopped early" if self.stopped_early else "")
        )

    @property
    def best(self) -> EpochReport:
        return self.epochs[self.best_epoch - 1]
