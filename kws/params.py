"""The base of every parameter section: frozen, keyword-only, unknown keys refused, JSON both ways.

A section stands beside the code that it steers (`kws/audio/params.py`, ...); `pipeline/config.py`
composes them into one file a preset; components carry a section as JSON in one execution property,
so that a changed section re-runs exactly the components that read it.
"""

from typing import Annotated, TypeVar

import pydantic

from kws.labels import check_keywords

P = TypeVar("P", bound="Params")


class Params(pydantic.BaseModel):
    """A frozen section of the configuration; construct it with keywords."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def to_json(self) -> str:
        """One line of JSON, keys in order of declaration: equal sections give equal strings."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls: type[P], text: str | bytes) -> P:
        """Parses what `to_json` wrote; raises pydantic.ValidationError on anything else."""
        return cls.model_validate_json(text)


Keywords = Annotated[tuple[str, ...], pydantic.AfterValidator(check_keywords)]
"""Keywords in Unicode's form NFC, none of them twice and no two alike."""
