"""Fields that the options of several architectures share."""

from typing import Annotated

import pydantic


def _both_positive(value: tuple[int, int]) -> tuple[int, int]:
    if min(value) < 1:
        raise ValueError("frames and channels must both be at least 1")
    return value


FramesByChannels = Annotated[tuple[int, int], pydantic.AfterValidator(_both_positive)]
"""A kernel, stride or pooling size: frames, channels."""

Rate = Annotated[float, pydantic.Field(ge=0, lt=1)]
"""A share of what is dropped, or kept of a moving average."""

Width = Annotated[int, pydantic.Field(ge=1, le=4096)]
"""Filters of a convolution or units of a layer."""
