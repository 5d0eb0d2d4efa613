"""The base of every parameter section: frozen, keyword-only, unknown keys refused, JSON both ways.

A section stands beside the code that it steers (`kws/corpus/params.py`, ...); `pipeline/config.py`
composes them into one file a preset; components carry a section as JSON in one execution property,
so that a changed section re-runs exactly the components that read it.
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar, get_args

import pydantic

P = TypeVar("P", bound="Params")


class Params(pydantic.BaseModel):
    """A frozen section of the configuration; construct it with keywords."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _no_mistaken_number(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        """Python counts `true` as 1 and reads "1e999" as infinity; who wrote that did not."""
        if _holds(value, bool) or _holds(value, str):
            kinds = _kinds(cls.model_fields[info.field_name or ""].annotation)
            if kinds & {int, float} and not kinds & {bool, Any, object} and _holds(value, bool):
                raise ValueError("true and false are not numbers: give a number")
            if float in kinds and str not in kinds and _holds(value, str, _is_not_finite):
                raise ValueError("Input should be a finite number")
        return value

    def to_json(self) -> str:
        """One line of JSON, keys in order of declaration: equal sections give equal strings."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls: type[P], text: str | bytes) -> P:
        """Parses what `to_json` wrote; raises pydantic.ValidationError on anything else."""
        return cls.model_validate_json(text)


def _holds(value: Any, kind: type, test: Callable[[Any], bool] = lambda value: True) -> bool:
    """Whether a value, or one in it, is of a kind and passes a test."""
    if isinstance(value, dict):
        return any(_holds(item, kind, test) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_holds(item, kind, test) for item in value)
    return isinstance(value, kind) and test(value)


def _is_not_finite(text: str) -> bool:
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return False


def _kinds(annotation: Any) -> set[Any]:
    """The types that an annotation is made of: those of `tuple[int, ...] | None` hold int."""
    parts = get_args(annotation)
    return {annotation} if not parts else set().union(*(_kinds(part) for part in parts))
