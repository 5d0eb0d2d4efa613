"""`tuning.json`: what a search tried and what came of it."""

from typing import Any, Literal

from kws.params import Params
from kws.training.tuning import TuningParams

TUNING_FILE = "tuning.json"

EndedBy = Literal["", "budget", "max_trials", "space", "refusals"]
"""Why a search is over; "space": nothing new is in it; "refusals": nothing of it fits."""


class TrialResult(Params):
    """One trial.

    Attributes:
      number: 1 for the first.
      values: path of a field to its value.
      status: "done"; "refused" for its size, before training; "failed" for another reason.
      reason: why it is not done.
      score: higher is better; of the trial's best epoch.
      eval_accuracy, eval_cross_entropy: of that epoch, on so many `eval_examples`.
      parameters: weights of the float model; about as many bytes in int8.
      macs: multiply-accumulates of one inference.
      epochs: trained.
      seconds: features that had to be computed first are in it.
    """

    number: int
    values: dict[str, Any]
    status: Literal["done", "refused", "failed"]
    reason: str = ""
    score: float | None = None
    eval_accuracy: float | None = None
    eval_cross_entropy: float | None = None
    eval_examples: int | None = None
    parameters: int | None = None
    macs: int | None = None
    epochs: int
    seconds: float


class TuningReport(Params):
    """All trials of a search, in order.

    Attributes:
      minutes: that the search took, with those of a process that was killed.
      ended_by: empty while it goes.
    """

    tuning: TuningParams
    trials: tuple[TrialResult, ...] = ()
    minutes: float = 0.0
    ended_by: EndedBy = ""

    @property
    def ranking(self) -> list[TrialResult]:
        """The trials that are done, best first; of equals the earlier."""
        done = [trial for trial in self.trials if trial.score is not None]
        return sorted(done, key=lambda trial: -(trial.score or 0.0))

    @property
    def best(self) -> TrialResult | None:
        return next(iter(self.ranking), None)
