"""Which architecture, and its own options."""

from typing import Any

import pydantic

from kws.params import Params


class ModelParams(Params):
    """A member of the zoo and the options of its `build` (checked by the registry)."""

    name: str = "ds_cnn"
    variant: str | None = pydantic.Field(
        None,
        description="a size that the paper names, see `kws models`; options go on top",
    )
    options: dict[str, Any] = pydantic.Field(default_factory=dict)
