"""Noisy copies of clips."""

import pydantic

from kws.params import Params


class NoisyCopyParams(Params):
    """Background at a random SNR, a random time shift, a random gain."""

    copies: int = pydantic.Field(1, ge=0, le=20, description="noisy copies of each training clip")
    eval_copies: int = pydantic.Field(
        1,
        ge=0,
        le=20,
        description="noisy copies of each eval and test clip, to slice results by SNR",
    )
    snr_db: tuple[float, float] = pydantic.Field((0.0, 25.0), description="range drawn from")
    time_shift_ms: float = pydantic.Field(100.0, ge=0, description="at most so far either way")
    gain_db: tuple[float, float] = pydantic.Field((-20.0, 6.0), description="range drawn from")
    lead_in_ms: int = pydantic.Field(
        1000, ge=0, description="background heard before the clip, so that the frontend has adapted"
    )
    seed: int = 0

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> "NoisyCopyParams":
        for name in ("snr_db", "gain_db"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(
                    f"{name}=[{low}, {high}] runs backwards: give the lower value first"
                )
        return self
