"""How a model is trained that answers at every step of a scene."""

import pydantic

from kws.params import Params


class StepParams(Params):
    """Only read where there are scenes."""

    crop_steps: int | None = pydantic.Field(
        None,
        ge=1,
        description="train on pieces of scenes of so many steps, as many pieces an epoch as a "
        "scene is long; None: on whole scenes",
    )
    positive_weight: float = pydantic.Field(
        1.0, gt=0, description="how much a step labelled 1 counts, against 1 of one labelled 0"
    )
