"""What happened in a training, for the log and `training.json`."""

from kws.params import Params
from kws.training.callbacks import EpochReport


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
