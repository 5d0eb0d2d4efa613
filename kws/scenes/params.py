"""Evaluation streams, and the short labelled scenes of trigger-word detection."""

import re
from collections.abc import Mapping
from typing import Any, Literal

import pydantic

from kws.params import Params

_CONDITION_NAME = re.compile(r"[a-z][a-z0-9_]*")


def _check_range(name: str, low: float, high: float) -> None:
    if low > high:
        raise ValueError(f"{name}=[{low}, {high}] runs backwards: give the lower value first")


def _check_level(highest_dbfs: float) -> None:
    if highest_dbfs > 0:
        raise ValueError(f"level_dbfs reaches {highest_dbfs}: 0 is full scale")


class ConditionParams(Params):
    """How the words of a stream sound in one condition.

    Where there are several ranges of level, they take turns, a section of the stream each.
    """

    snr_db: tuple[float, float] = pydantic.Field(description="word over background")
    level_dbfs: tuple[tuple[float, float], ...] = pydantic.Field(
        (), description="ranges of the RMS of a word; none: streams.level_dbfs"
    )
    background: Literal["noise", "babble"] = pydantic.Field(
        "noise",
        description="noise: the split's backgrounds; babble: its recorded negatives talking at "
        "once, or where it has too few, its other words and synthesized sentences as well",
    )
    talkers: tuple[int, int] = pydantic.Field((2, 6), description="of babble, both ends included")
    clipped: bool = pydantic.Field(
        False,
        description="peaks past full scale are cut, as a converter does; False: the words and "
        "their background are turned down until none is",
    )
    rooms: int = pydantic.Field(
        0,
        ge=0,
        le=1000,
        description="words sound in simulated rooms, so many, and in at most as many recorded "
        "ones of the split; 0: as recorded",
    )

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> "ConditionParams":
        ranges = [("snr_db", self.snr_db), *(("level_dbfs", level) for level in self.level_dbfs)]
        for name, (low, high) in ranges:
            _check_range(name, low, high)
        for _, high in self.level_dbfs:
            _check_level(high)
        if not 1 <= self.talkers[0] <= self.talkers[1]:
            raise ValueError(f"talkers={list(self.talkers)} must rise, from 1 or more")
        return self


CONDITIONS: Mapping[str, ConditionParams] = {
    "quiet": ConditionParams(snr_db=(30, 45)),
    "noise": ConditionParams(snr_db=(10, 10)),
    "babble": ConditionParams(snr_db=(10, 10), background="babble"),
    "room": ConditionParams(snr_db=(30, 45), rooms=12),
    "level": ConditionParams(snr_db=(30, 40), level_dbfs=((-40, -40), (-10, -10)), clipped=True),
}
"""Those known by name, in the order in which they are reported."""


def in_order(conditions: Mapping[str, Any]) -> list[str]:
    """Names of conditions as they are reported: those of `CONDITIONS` first, then by name."""
    known = list(CONDITIONS)
    return sorted(conditions, key=lambda c: (known.index(c) if c in known else len(known), c))


class StreamParams(Params):
    """What a stream is laid out of. One stream is at least ten minutes unless told otherwise."""

    minutes: float = pydantic.Field(
        10.0, gt=0, description="of words over background, a split; with conditions, of each"
    )
    conditions: tuple[str, ...] = pydantic.Field(
        (),
        description="quiet, noise, babble, room, level, or others that `of_condition` describes: "
        "the same words are laid in each; none: one mixture of snr_db and level_dbfs",
    )
    of_condition: dict[str, ConditionParams] = pydantic.Field(
        {}, description="what differs from the defaults, {babble: {snr_db: [5, 5]}}"
    )
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
    varied_hours: float = pydantic.Field(
        0.0,
        ge=0,
        description="split eval's negatives are heard again in other voices and places until these "
        "versions last so long: the tail of the scores is fitted to them as well "
        "(kws/scenes/negatives.py)",
    )
    seed: int = 0

    @pydantic.field_validator("of_condition", mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """What a known condition leaves out is as in `CONDITIONS`."""
        if not isinstance(values, Mapping):
            return values
        return {
            name: {**CONDITIONS[name].model_dump(), **given}
            if name in CONDITIONS and isinstance(given, Mapping)
            else given
            for name, given in values.items()
        }

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> "StreamParams":
        for name in ("gap_s", "snr_db", "level_dbfs"):
            _check_range(name, *getattr(self, name))
        if self.gap_s[0] < 0:
            raise ValueError(f"gap_s=[{self.gap_s[0]}, {self.gap_s[1]}]: words would overlap")
        _check_level(self.level_dbfs[1])
        return self

    @pydantic.model_validator(mode="after")
    def _conditions_known(self) -> "StreamParams":
        known = ", ".join(CONDITIONS)
        for name in self.conditions:
            if not _CONDITION_NAME.fullmatch(name):
                raise ValueError(
                    f"conditions: {name!r} becomes part of file names: use a-z, 0-9 and _"
                )
            if name not in CONDITIONS and name not in self.of_condition:
                raise ValueError(
                    f"conditions: {name!r} is not one of {known}, nor described in of_condition"
                )
        if len({*self.conditions}) < len(self.conditions):
            raise ValueError(f"conditions={list(self.conditions)} names one of them twice")
        strange = sorted(set(self.of_condition) - {*CONDITIONS, *self.conditions})
        if strange:
            raise ValueError(
                f"of_condition describes {strange[0]!r}, which is neither one of {known} nor named "
                "in conditions"
            )
        return self

    def condition(self, name: str) -> ConditionParams:
        """How one of the conditions sounds."""
        return self.of_condition.get(name) or CONDITIONS[name]

    @property
    def needs_babble(self) -> bool:
        """Whether talkers are needed for a condition."""
        return any(self.condition(name).background == "babble" for name in self.conditions)

    @property
    def most_rooms(self) -> int:
        """How many rooms are simulated for the conditions, and recorded ones at most."""
        return max((self.condition(name).rooms for name in self.conditions), default=0)


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
