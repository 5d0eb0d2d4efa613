"""How a pipeline retrains (`kws retrain`): what differs from a first training."""

import pydantic

from kws.params import Params


class RetrainingParams(Params):
    """Read by `kws retrain` alone; with no blessed model yet, a training is a first one."""

    warm_start: bool = pydantic.Field(
        True, description="start from the last blessed model; False: from scratch, all epochs"
    )
    epochs_share: float = pydantic.Field(
        0.3, gt=0, le=1, description="of training.epochs: it starts from a model that knows most"
    )
    learning_rate_share: float = pydantic.Field(
        0.3, gt=0, le=1, description="of training.learning_rate: so that it forgets little"
    )
    max_miss_rate_rise_of_last: float | None = pydantic.Field(
        0.2,
        ge=0,
        le=1,
        description="the gate streaming.gates.max_miss_rate_rise_of_last: labels on which the "
        "model in service suddenly fails are not learned; None: whatever that gate says",
    )
    settle_seconds: float = pydantic.Field(
        30.0, ge=0, description="recordings are complete once nothing has changed for so long"
    )
    complete_file: str = pydantic.Field(
        "",
        pattern=r"^[^/]*$",
        description="a file that says that a span is complete, e.g. _SUCCESS; then no waiting",
    )
