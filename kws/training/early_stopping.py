"""When a training has seen enough epochs, and by what its best one is chosen."""

from typing import Literal

import pydantic

from kws.params import Params
from kws.streaming.params import DetectorParams


class EarlyStoppingParams(Params):
    """Stops a training that gets no better; its model is the best epoch's in any case."""

    patience_epochs: int = pydantic.Field(
        5, ge=1, description="stop after so many epochs without a better one"
    )
    metric: Literal["accuracy", "misses"] = pydantic.Field(
        "accuracy",
        description="misses: every epoch's model hears the eval streams, and the best has the "
        "lowest miss rate at the target rate of false accepts",
    )
    target_false_accepts_per_hour: float = pydantic.Field(1.0, ge=0, description="for misses")
    clip_stride_ms: int = pydantic.Field(
        80,
        gt=0,
        description="for misses: how often the model runs on a stream; a multiple of the "
        "features' window_stride_ms",
    )

    @property
    def hears_streams(self) -> bool:
        return self.metric == "misses"

    @property
    def detector(self) -> DetectorParams:
        """The default detector at this stride, with as many posteriors as it then has."""
        window_ms = DetectorParams().average_window_ms
        rows = max(1, -(-window_ms // self.clip_stride_ms))
        return DetectorParams(
            clip_stride_ms=self.clip_stride_ms,
            minimum_count=min(DetectorParams().minimum_count, rows),
        )
