"""What each step of a run was configured with, read back from ML Metadata."""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline import results

_NOT_SETTINGS = re.compile(
    r"^(__|is_external|(input_fingerprint|span|version)$)|(_dir|_base|_file|_path|destination)$"
)
"""Where things lie, what was found there, and TFX's own notes: not what was configured."""


def of(step: results.Step) -> dict[str, Any]:
    """By name; what was JSON is opened."""
    return {
        name: _parsed(value)
        for name, value in step.settings.items()
        if not _NOT_SETTINGS.search(name)
    }


def flat(run: results.Run) -> dict[str, Any]:
    """`Trainer.custom_config.training.epochs` -> its value, over all steps; lists stay whole."""
    found: dict[str, Any] = {}
    for step in run.steps:
        found.update(_leaves(step.name, of(step)))
    return found


def differences(one: results.Run, other: results.Run) -> dict[str, tuple[Any, Any]]:
    """Settings of steps that both runs have and that differ, leaf by leaf; None: not set."""
    both = {step.name for step in one.steps} & {step.name for step in other.steps}
    flats = [flat(run) for run in (one, other)]
    keys = sorted({*flats[0], *flats[1]})
    pairs = {key: (flats[0].get(key), flats[1].get(key)) for key in keys}
    return {
        key: pair
        for key, pair in pairs.items()
        if pair[0] != pair[1] and key.partition(".")[0] in both
    }


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item)
    else:
        yield name, value


def _parsed(value: Any) -> Any:
    """JSON in strings opened, again and again: TFX writes JSON into JSON."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(json.JSONDecodeError):
            return _parsed(json.loads(value))
    if isinstance(value, dict):
        return {key: _parsed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_parsed(item) for item in value]
    return value
