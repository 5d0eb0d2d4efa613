"""How a model is trained: the section `training` of a configuration and its subsections."""

from typing import Literal

import pydantic

from kws.detection.params import DetectorParams
from kws.errors import KwsError
from kws.models import registry
from kws.models.params import ModelParams
from kws.params import Params
from kws.training.background_mixing import BackgroundMixingParams
from kws.training.mining import MiningParams
from kws.training.teacher import TeacherParams


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
        "(kws/training/spec_augment.py)",
    )


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


class DistillationParams(Params):
    """A larger member of the zoo, or several of them, is trained first and teaches the model."""

    teacher: ModelParams = ModelParams(name="ds_cnn", variant="M")
    teachers: int = pydantic.Field(
        1, ge=1, le=16, description="of other seeds; the mean of their posteriors is taught"
    )
    teacher_epochs: int | None = pydantic.Field(
        None, ge=1, description="None: as many as the model's own"
    )
    share: float = pydantic.Field(
        0.7, gt=0, le=1, description="of the teacher in the loss; the labels have the rest"
    )
    temperature: float = pydantic.Field(
        2.0, gt=0, le=20, description="softens both sides' posteriors; 1: as they are"
    )

    def check(self, model: ModelParams) -> None:
        """Refuses a teacher that cannot teach this model. Imports no TensorFlow.

        Raises:
          KwsError: the teacher or one of its options is unknown, or one of the two answers at
            every step.
        """
        registry.options(self.teacher)
        for what, name in (("model", model.name), ("teacher", self.teacher.name)):
            if registry.output(name) != "labels":
                raise KwsError(
                    f"training.distillation: the {what} {name} answers at every step, and only "
                    "posteriors of labels are taught",
                    hint="leave out training.distillation, or take a model of whole clips",
                )


_UNKNOWN_LAYERS = {
    "bc_resnet": "its sub-spectral normalization is unknown to TensorFlow Model Optimization",
    "crnn": "its gated recurrent units are unknown to TensorFlow Model Optimization",
}


class QuantizationAwareParams(Params):
    """After its training the model is tuned with the rounding that int8 will bring."""

    epochs: int = pydantic.Field(5, ge=1)
    learning_rate: float = pydantic.Field(4e-4, gt=0, description="peak; same schedule")

    def check(self, model: ModelParams) -> None:
        """Refuses a model that cannot be tuned so. Imports no TensorFlow.

        Raises:
          KwsError: it has layers without fake quantization, or is converted in another form than
            the one that is trained.
        """
        reason = _UNKNOWN_LAYERS.get(model.name)
        if registry.architecture(model.name).STREAMING:
            reason = "it is converted in its one-step form, whose state would have no learnt range"
        if reason:
            raise KwsError(
                f"training.quantization_aware cannot tune {model.name}: {reason}",
                hint="leave it out: the converter calibrates the model as ever",
            )


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
