"""How a model is fitted."""

from typing import Literal

import pydantic

from kws.params import Params


class TrainingParams(Params):
    """The training loop's settings."""

    epochs: int = pydantic.Field(20, ge=1)
    batch_size: int = pydantic.Field(128, ge=1)
    learning_rate: float = pydantic.Field(4e-3, gt=0, description="peak")
    schedule: Literal["constant", "step", "cosine"] = pydantic.Field(
        "cosine", description="after the warm-up; step: a tenth for the last quarter of the steps"
    )
    warmup_share: float = pydantic.Field(0.05, ge=0, lt=1, description="of all steps")
    weight_decay: float = pydantic.Field(0.01, ge=0, description="decoupled (AdamW)")
    weight_average: float = pydantic.Field(
        0.0,
        ge=0,
        lt=1,
        description="decay a step of the moving average of the weights, which is then what is "
        "evaluated and shipped; 0: no average",
    )
    label_smoothing: float = pydantic.Field(0.0, ge=0, lt=1)
    class_weighting: bool = pydantic.Field(True, description="weigh labels by inverse frequency")
    time_mask_frames: int = pydantic.Field(0, ge=0, description="SpecAugment: longest time mask")
    channel_mask: int = pydantic.Field(0, ge=0, description="SpecAugment: widest channel mask")
    time_shift_frames: int = pydantic.Field(
        5, ge=0, description="random shift either way; 5 frames of a 20 ms hop are 100 ms"
    )
    cache_bytes: int = pydantic.Field(
        1_000_000_000, ge=0, description="features are kept in memory up to so many bytes"
    )
    checkpoint_every_steps: int = pydantic.Field(200, ge=1)
    seed: int = 0
