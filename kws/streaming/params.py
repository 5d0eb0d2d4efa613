"""The detector's settings and the gates on a stream."""

import pydantic

from kws.params import Params


class DetectorParams(Params):
    """From posteriors to detections; shipped in the manifest."""

    average_window_ms: int = pydantic.Field(
        300, gt=0, description="posteriors are averaged over this"
    )
    clip_stride_ms: int = pydantic.Field(40, gt=0, description="the model runs this often")
    detection_threshold: float = pydantic.Field(0.7, gt=0, lt=1)
    minimum_count: int = pydantic.Field(
        3, ge=1, description="posteriors before a detection may fire"
    )
    suppression_ms: int = pydantic.Field(1000, ge=0, description="quiet time after a detection")

    @pydantic.model_validator(mode="after")
    def _can_fire(self) -> "DetectorParams":
        rows = -(-self.average_window_ms // self.clip_stride_ms)
        if self.minimum_count > rows:
            raise ValueError(
                f"minimum_count={self.minimum_count} is more than the {rows} posteriors that fit "
                f"into average_window_ms={self.average_window_ms} at clip_stride_ms="
                f"{self.clip_stride_ms}: nothing could ever be detected"
            )
        return self


class OperatingPointParams(Params):
    """How the threshold is chosen: on the eval streams, for a target rate."""

    target_false_accepts_per_hour: float | None = pydantic.Field(
        1.0, ge=0, description="None keeps the configured detection_threshold"
    )
    candidates: int = pydantic.Field(60, ge=2, description="thresholds tried")


class MatchParams(Params):
    """When a detection counts as a hit of a word in the ground truth."""

    before_ms: int = pydantic.Field(
        100, ge=0, description="a detection may come so long before the word's start"
    )
    after_ms: int = pydantic.Field(750, ge=0, description="and so long after its end")


class StreamingGateParams(Params):
    """Limits on the test streams; None leaves a figure ungated."""

    max_false_accepts_per_hour: float | None = pydantic.Field(None, ge=0)
    max_miss_rate: float | None = pydantic.Field(None, ge=0, le=1)
    max_wrong_word_rate: float | None = pydantic.Field(None, ge=0, le=1)
    on_bound: bool = pydantic.Field(
        False, description="judge the upper 95 % bound, not the estimate"
    )


class StreamingParams(Params):
    """The StreamingEvaluator's whole section."""

    detector: DetectorParams = DetectorParams()
    operating_point: OperatingPointParams = OperatingPointParams()
    match: MatchParams = MatchParams()
    gates: StreamingGateParams = StreamingGateParams()
