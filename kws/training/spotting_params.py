"""What a spotter that is trained at every step of its clips learns, and from whom."""

import pydantic

from kws.params import Params
from kws.training.teacher import TeacherParams


class SpottingParams(Params):
    """What the steps of a clip are worth in the loss, and who teaches."""

    teacher: TeacherParams | None = pydantic.Field(
        TeacherParams(), description="heads on the speech embedding; None: labels alone"
    )
    hardest_weight: float = pydantic.Field(0.5, ge=0, description="strongest step of other clips")
    posterior_weight: float = pydantic.Field(4.0, ge=0, description="the teacher's posteriors")
    logit_weight: float = pydantic.Field(
        0.0, ge=0, description="the teacher's logits, by the Huber loss"
    )
    embedding_weight: float = pydantic.Field(0.5, ge=0, description="the teacher's embedding")
    ranking_weight: float = pydantic.Field(0.3, ge=0, description="of the batch's hardest clips")
    ranking_margin: float = pydantic.Field(2.0, ge=0, description="in logits")
    silence_weight: float = pydantic.Field(
        0.1, ge=0, description="silence told from other sound, where the keyword is not said"
    )
    splice_share: float = pydantic.Field(
        0.0,
        ge=0,
        le=1,
        description="of the clips of other sound: they go on as another one does "
        "(kws/training/splice.py)",
    )
