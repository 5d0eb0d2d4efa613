"""Evaluation streams: words over background, and long recordings without any keyword."""

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
