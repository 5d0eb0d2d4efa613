"""Parameters of ingestion and validation: window, splits, sampling, and what is refused.

What validation requires of every clip is in `schemas/audio`.
"""

from typing import Literal

import pydantic

from kws.labels import Keywords
from kws.params import Params
from kws.splits import Split


class IngestParams(Params):
    """How recordings become audio examples.

    The shares follow the TensorFlow speech tutorial: a percentage of the number of keyword clips
    in the same split.
    """

    keywords: Keywords = pydantic.Field(min_length=1)
    sample_rate: int = pydantic.Field(16000, ge=8000, le=48000, description="Hz")
    clip_duration_ms: int = pydantic.Field(1000, ge=100, le=10000)
    silence_percentage: float = pydantic.Field(10.0, ge=0, le=10_000)
    short_silence_share: float = pydantic.Field(
        0.0,
        ge=0,
        le=1,
        description="of the _silence_ clips: noise for a part of the clip, digital silence around "
        "it, as in a recording that is shorter than a clip",
    )
    unknown_percentage: float = pydantic.Field(10.0, ge=0, le=10_000)
    negatives_percentage: float = pydantic.Field(
        0.0,
        ge=0,
        le=10_000,
        description="_unknown_ clips cut from the training part of _negatives_",
    )
    lead_in_ms: int = pydantic.Field(
        0,
        ge=0,
        le=10_000,
        description="what goes before a window of a long recording is kept with its clip for so "
        "long, so that the frontend has adapted to it as in a stream",
    )
    eval_percentage: float = pydantic.Field(10.0, ge=0, lt=100)
    test_percentage: float = pydantic.Field(10.0, ge=0, lt=100)
    held_out_negatives_percentage: float = pydantic.Field(
        20.0,
        ge=0,
        lt=50,
        description="of the recordings without keywords (or their speakers), for eval, and as many "
        "for test: thresholds and gates on false accepts rest on them",
    )
    validation_list: Literal["eval", "test"] = pydantic.Field(
        "eval",
        description="which split validation_list.txt names (testing_list.txt is always test)",
    )
    rare_word_clips: int = pydantic.Field(
        0, ge=0, description="a word that is no keyword and has fewer clips is kept out of training"
    )
    silent_dbfs: float = pydantic.Field(
        -75.0, description="a word clip below this RMS is quarantined"
    )
    max_quarantine_share: float = pydantic.Field(0.05, ge=0, le=1)
    max_source_loss: float = pydantic.Field(
        0.5,
        ge=0,
        le=1,
        description="share of a source's clips of a keyword, of its other clips, or of its minutes "
        "of negatives or backgrounds, that may be unusable; without any usable audio it is refused "
        "in any case",
    )
    require_every_keyword: bool = pydantic.Field(
        True,
        description="refuse a corpus without a clip of each keyword in each split; False: the run "
        "in the section `base` has them",
    )
    source: str = pydantic.Field(
        "recordings", description="which corpus or engine the clips came from; a slicing key"
    )
    speaker_salt_env: str = pydantic.Field(
        "",
        pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$",
        description="environment variable with a secret salt: speakers are hashed with it; none: "
        "speakers are named as in the recordings. Another salt alone starts no new ingestion",
    )
    seed: int = 0

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "IngestParams":
        if self.eval_percentage + self.test_percentage >= 100:
            raise ValueError(
                f"eval_percentage={self.eval_percentage} and test_percentage="
                f"{self.test_percentage} leave nothing for training: keep their sum below 100"
            )
        return self


class MinClipsParams(Params):
    """The fewest clips of every keyword, by split."""

    train: int = pydantic.Field(1, ge=0)
    eval: int = pydantic.Field(1, ge=0)
    test: int = pydantic.Field(1, ge=0)

    def of(self, split: Split) -> int:
        return {"train": self.train, "eval": self.eval, "test": self.test}[split]


class ShiftParams(Params):
    """How far two distributions may be apart, and what happens if they are further."""

    mode: Literal["off", "report", "gate"] = pydantic.Field(
        "report", description="report: say it; gate: stop the run as well"
    )
    max_label_distance: float = pydantic.Field(
        0.2, ge=0, le=1, description="the largest change of any label's share (L-infinity)"
    )
    min_clips: int = pydantic.Field(
        50, ge=1, description="with fewer clips on a side chance alone is measured: no comparison"
    )


class ValidationParams(Params):
    """Bounds of the labels, of the keywords' clips, and of change.

    The reserved labels have no least number: their shares are settings of the ingestion.
    """

    min_clips_per_keyword: MinClipsParams = MinClipsParams()
    max_class_imbalance: float | None = pydantic.Field(
        20.0, ge=1, description="clips of the most frequent keyword over those of the least"
    )
    drift: ShiftParams = pydantic.Field(
        ShiftParams(), description="train of this span against train of the previous one"
    )
    skew: ShiftParams = pydantic.Field(
        ShiftParams(), description="eval and test against train of the same span"
    )
