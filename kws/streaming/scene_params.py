"""How a model that answers at every step is judged on scenes."""

import pydantic

from kws.params import Params
from kws.streaming.params import STEPS_BETWEEN, DetectorParams, MatchParams, Runtime


class SceneEvaluationParams(Params):
    """The SceneEvaluator's section; a limit of None leaves a figure ungated."""

    runtime: Runtime = pydantic.Field("tflite", description="as in `streaming`")
    threshold: float = pydantic.Field(
        0.5, gt=0, lt=1, description="a step of at least this is said to be 1, and chimes"
    )
    steps_between: int = pydantic.Field(
        STEPS_BETWEEN, ge=1, description="steps from a chime to the next one, at least"
    )
    match: MatchParams = MatchParams()
    min_f1: float | None = pydantic.Field(None, ge=0, le=1, description="of the steps")
    min_precision: float | None = pydantic.Field(None, ge=0, le=1, description="of the steps")
    min_recall: float | None = pydantic.Field(None, ge=0, le=1, description="of the steps")
    max_miss_rate: float | None = pydantic.Field(None, ge=0, le=1, description="of the words")
    max_false_accepts_per_hour: float | None = pydantic.Field(
        None, ge=0, description="over the hours of scenes, which are full of words"
    )

    @property
    def detector(self) -> DetectorParams:
        """The trigger-word rule, `kws.streaming.rules.steps`, with these settings."""
        return DetectorParams(
            rule="steps",
            detection_threshold=self.threshold,
            steps_between=self.steps_between,
        )
