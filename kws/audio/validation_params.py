"""What validation asks of a corpus as a whole; what it asks of every clip is in `schemas/audio`."""

from typing import Literal

import pydantic

from kws.params import Params
from kws.splits import Split


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
