"""How a model is fitted.

A nested section is a file of its own, without imports from this one.
"""

from typing import Literal

import pydantic

from kws.params import Params
from kws.training.background_mixing import BackgroundMixingParams
from kws.training.distillation_params import DistillationParams
from kws.training.early_stopping import EarlyStoppingParams
from kws.training.mining import MiningParams
from kws.training.quantization_aware_params import QuantizationAwareParams
from kws.training.spotting_params import SpottingParams
from kws.training.step_params import StepParams


class TrainingParams(Params):
    """The training loop's settings."""

    epochs: int = pydantic.Field(20, ge=1)
    batch_size: int = pydantic.Field(128, ge=1)
    learning_rate: float = pydantic.Field(4e-3, gt=0, description="peak")
    schedule: Literal["constant", "step", "cosine"] = pydantic.Field(
        "cosine", description="after the warm-up; step: a tenth of the rate after step_share"
    )
    step_share: float = pydantic.Field(
        0.75, ge=0, le=1, description="of all steps; the speech tutorial's is 15000/18000"
    )
    warmup_share: float = pydantic.Field(0.05, ge=0, lt=1, description="of all steps")
    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: float = pydantic.Field(0.9, ge=0, lt=1, description="of sgd (Nesterov's)")
    weight_decay: float = pydantic.Field(0.01, ge=0, description="decoupled (AdamW's way)")
    weight_average: float = pydantic.Field(
        0.0,
        ge=0,
        lt=1,
        description="decay a step of the moving average of the weights, which is then what is "
        "evaluated and shipped; 0: no average",
    )
    label_smoothing: float = pydantic.Field(0.0, ge=0, lt=1)
    class_weighting: bool = pydantic.Field(True, description="weigh labels by inverse frequency")
    sampling: Literal["natural", "balanced"] = pydantic.Field(
        "natural",
        description="balanced: every label is drawn equally often, and class_weighting is not used",
    )
    time_mask_frames: int = pydantic.Field(0, ge=0, description="SpecAugment: longest time mask")
    channel_mask: int = pydantic.Field(0, ge=0, description="SpecAugment: widest channel mask")
    channel_warp: float = pydantic.Field(
        0.0,
        ge=0,
        le=0.5,
        description="a clip's channels are stretched or squeezed by up to this share, as other "
        "vocal tracts would do; 0: not",
    )
    time_shift_frames: int = pydantic.Field(
        5, ge=0, description="random shift either way; 5 frames of a 20 ms hop are 100 ms"
    )
    mixup_alpha: float = pydantic.Field(
        0.0, ge=0, description="mixup: both parameters of the Beta distribution; 0: none"
    )
    background_mixing: BackgroundMixingParams | None = pydantic.Field(
        None, description="for the frontends log_mel and spectrogram; None: none"
    )
    early_stopping: EarlyStoppingParams | None = pydantic.Field(
        None, description="None: all epochs are done, and the best is the most accurate"
    )
    warm_start: bool = pydantic.Field(
        False, description="start from the last blessed model, where there is one"
    )
    replay: int = pydantic.Field(
        0,
        ge=0,
        description="training examples of the run in the section `base` that are learned again, "
        "so that nothing is forgotten; it evaluates the epochs, too",
    )
    keep: Literal["best", "last"] = pydantic.Field(
        "best",
        description="the epoch whose weights are kept; last: where the eval split, which the model "
        "already knows well, would choose the epoch that learned least",
    )
    hard_negatives: MiningParams | None = pydantic.Field(
        None, description="mine false accepts in the training split and train again; None: not"
    )
    distillation: DistillationParams | None = pydantic.Field(
        None, description="None: the model learns from the labels alone"
    )
    quantization_aware: QuantizationAwareParams | None = pydantic.Field(
        None, description="None: int8 is left to the converter's calibration"
    )
    steps: StepParams = StepParams()
    spotting: SpottingParams | None = pydantic.Field(
        None,
        description="train at every step of clips that are longer than features.context_ms, and "
        "learn from heads on the speech embedding; None: a clip has one answer",
    )
    cache_bytes: int = pydantic.Field(
        1_000_000_000, ge=0, description="features are kept in memory up to so many bytes"
    )
    checkpoint_every_steps: int = pydantic.Field(200, ge=1)
    seed: int = 0
