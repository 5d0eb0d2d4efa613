"""The hyperparameter search: what is searched, for how long, and how trials are compared.

A path of the search space names a field of the configuration (`training.learning_rate`,
`model.options.filters`, `features.window_stride_ms`) together with the source of its values.
`kws.training.tuning_space` checks the paths and `kws.training.tuning_search` runs the search.
`tuning.json` records what was tried and how it turned out.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pydantic

from kws.params import Params


class Dimension(Params):
    """What one field of the configuration may become: one of a list of values, or in a range.

    In a file of the configuration a list is the short form of `values`. A range whose limits are
    whole numbers holds whole numbers alone: write `{min: 0.0, max: 1.0}` for a share.
    """

    values: tuple[Any, ...] | None = pydantic.Field(None, description="in order of size, if any")
    min: int | float | None = None
    max: int | float | None = None
    log: bool = pydantic.Field(False, description="as likely between 1 and 10 as 10 and 100")
    step: int | float | None = pydantic.Field(None, gt=0, description="between two values")

    @pydantic.model_validator(mode="before")
    @classmethod
    def _list(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            return given
        if isinstance(given, Sequence) and not isinstance(given, str):
            return {"values": given}
        raise ValueError(
            f"{given!r} is neither a list of values nor a range {{min: ..., max: ...}}"
        )

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Dimension":
        if self.values is not None:
            if self.min is not None or self.max is not None or self.log or self.step is not None:
                raise ValueError("give a list of values or a range, not both")
            if not self.values or any(v in self.values[:i] for i, v in enumerate(self.values)):
                raise ValueError(
                    f"{list(self.values)} must name at least one value, and none twice"
                )
            return self
        if self.min is None or self.max is None:
            raise ValueError("a range needs both min and max")
        if not self.min < self.max:
            raise ValueError(f"min={self.min} must be less than max={self.max}")
        if self.log and self.min <= 0:
            raise ValueError(f"min={self.min} must be more than 0 with log: true")
        if self.log and self.step is not None:
            raise ValueError("step does not go with log: true")
        return self

    @property
    def whole(self) -> bool:
        """Whether a range holds whole numbers alone."""
        return all(isinstance(limit, int) for limit in (self.min, self.max, self.step or 1))

    @property
    def probes(self) -> tuple[Any, ...]:
        """All values, or some of a range: its limits and one within."""
        if self.values is not None:
            return self.values
        assert self.min is not None and self.max is not None
        if self.whole:
            return self.min, self.max
        return self.min, self.min + (self.max - self.min) / math.e, self.max


class TuningParams(Params):
    """The Tuner's section.

    With a budget in minutes a faster machine makes more trials, and may find another best one. With
    `max_trials` and minutes enough for them, the search depends on the seed and the data alone.
    """

    space: dict[str, Dimension] = pydantic.Field(
        min_length=1, description="path of a field: list of values, or {min, max, log, step}"
    )
    budget_minutes: float = pydantic.Field(
        30.0, gt=0, description="no trial begins after this; the last one is finished"
    )
    max_trials: int | None = pydantic.Field(
        None, ge=1, description="those refused for their size count; None: the budget alone ends it"
    )
    epochs: int = pydantic.Field(6, ge=1, description="of a trial; hyperband: of the longest")
    algorithm: Literal["random", "bayesian", "hyperband"] = pydantic.Field(
        "bayesian",
        description="random and bayesian begin with what is configured, if the space has it",
    )
    objective: Literal["accuracy", "cross_entropy"] = pydantic.Field(
        "accuracy", description="on the eval split, of a trial's best epoch"
    )
    max_parameters: int | None = pydantic.Field(
        None, ge=1, description="a byte each in int8; a larger model is refused, not trained"
    )
    max_macs: int | None = pydantic.Field(
        None, ge=1, description="multiply-accumulates of an inference; more are refused"
    )
    seed: int = 0

    @property
    def of_features(self) -> bool:
        """Whether the frontend is searched too."""
        return any(path.startswith("features.") for path in self.space)

    @pydantic.field_validator("space", mode="before")
    @classmethod
    def _flat(cls, given: Any) -> Any:
        """Paths may be nested mappings as well, which is what `--set tuning.space.a.b=...` makes;
        one of null is left out."""
        if not isinstance(given, Mapping):
            return given
        return {path: value for path, value in _paths(given, "").items() if value is not None}


def _paths(space: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in space.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and not value.keys() & Dimension.model_fields:
            found.update(_paths(value, f"{path}."))
        else:
            found[path] = value
    return found


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
      eval_accuracy: of that epoch, on the `eval_examples`.
      eval_cross_entropy: of the same.
      eval_examples: how many there are.
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
