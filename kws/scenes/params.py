"""Evaluation streams, and the short labelled scenes of trigger-word detection."""

from typing import Literal

import pydantic

from kws.params import Params


class StreamParams(Params):
    """What a stream is laid out of. One stream is at least ten minutes unless told otherwise."""

    minutes: float = pydantic.Field(10.0, gt=0, description="of words over background, a split")
    gap_s: tuple[float, float] = pydantic.Field((1.5, 4.5), description="pause between words")
    snr_db: tuple[float, float] = pydantic.Field((5.0, 25.0), description="word over background")
    unknown_share: float = pydantic.Field(0.4, ge=0, le=1, description="of the words laid")
    level_dbfs: tuple[float, float] = pydantic.Field((-32.0, -16.0), description="RMS of a word")
    negatives_chunk_s: float = pydantic.Field(
        600.0, gt=0, description="long negatives become streams of this length"
    )
    negatives_hours: float = pydantic.Field(
        5.0,
        gt=0,
        description="at most so many hours of recordings without keywords, a split: thresholds and "
        "gates on false accepts rest on them",
    )
    seed: int = 0

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> "StreamParams":
        for name in ("gap_s", "snr_db", "level_dbfs"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(
                    f"{name}=[{low}, {high}] runs backwards: give the lower value first"
                )
        if self.gap_s[0] < 0:
            raise ValueError(f"gap_s=[{self.gap_s[0]}, {self.gap_s[1]}]: words would overlap")
        if self.level_dbfs[1] > 0:
            raise ValueError(f"level_dbfs reaches {self.level_dbfs[1]}: 0 is full scale")
        return self


class SceneParams(Params):
    """Scenes after the trigger-word assignment (A. Ng, Sequence Models, Coursera, week 3).

    A background made quieter, a few keywords and other words laid over it at random times, the sum
    brought to one level, and a label vector: `steps` equal parts of the scene, of which the
    `label_steps` strictly after the part in which a keyword's speech ends are 1.
    """

    scenes: tuple[int, int, int] = pydantic.Field(
        (400, 50, 50), description="how many in train, eval, test"
    )
    duration_ms: int = pydantic.Field(10_000, ge=1000, le=60_000)
    background_gain_db: float = pydantic.Field(-20.0, le=0, description="quieter by so much")
    positives: tuple[int, int] = pydantic.Field(
        (0, 4), description="keywords a scene: range drawn from, both ends included"
    )
    negatives: tuple[int, int] = pydantic.Field((0, 2), description="other words, likewise")
    words: Literal["speech", "clip"] = pydantic.Field(
        "speech",
        description="what is laid: the active speech of a clip with 150 ms of faded margin, or the "
        "whole clip; the label follows the end of the speech either way",
    )
    word_dbfs: tuple[float, float] | None = pydantic.Field(
        None,
        description="RMS of a word's speech before the scene is normalised: range drawn from; "
        "None: every word as loud as in its clip",
    )
    tries: int = pydantic.Field(
        20, ge=1, le=1000, description="places tried for a word before it is left out"
    )
    target_dbfs: float = pydantic.Field(
        -20.0, le=0, description="RMS of a scene; less where its peaks would be clipped"
    )
    steps: int = pydantic.Field(1375, ge=1, description="length of the label vector (Ty)")
    label_steps: int = pydantic.Field(50, ge=1, description="ones after each keyword")
    seed: int = 0

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "SceneParams":
        if min(self.scenes) < 0:
            raise ValueError(f"scenes={list(self.scenes)}: counts cannot be negative")
        for name in ("positives", "negatives"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(f"{name}=[{low}, {high}] must rise, from 0 or more")
        if self.word_dbfs is not None and not self.word_dbfs[0] <= self.word_dbfs[1] <= 0:
            raise ValueError(f"word_dbfs={list(self.word_dbfs)} must rise, to 0 or less")
        if self.label_steps >= self.steps:
            raise ValueError(
                f"label_steps={self.label_steps} must be less than steps={self.steps}: a label "
                "would fill the scene"
            )
        return self
