"""A cascade: which model listens first, when it wakes the second, and what that may cost."""

import pydantic

from kws.params import Params


class CascadeParams(Params):
    """The first stage of a cascade whose second stage is the model of this run."""

    first_stage: str = pydantic.Field(
        min_length=1,
        description="a pushed bundle, or the folder of versions that holds LATEST",
    )
    threshold: float = pydantic.Field(
        0.3,
        gt=0,
        lt=1,
        description="the first stage wakes the second where any of its keywords, averaged as its "
        "own manifest says, reaches this: lower than its own threshold, for what it does not let "
        "through is lost",
    )
    hold_ms: int = pydantic.Field(
        1000, gt=0, description="the second stage runs on for this long after the last such moment"
    )
    max_duty_cycle: float | None = pydantic.Field(
        None, ge=0, le=1, description="share of time in which the second stage may run"
    )
    max_macs_per_second: float | None = pydantic.Field(
        None, gt=0, description="multiply-accumulates of both stages, on the average"
    )
