"""`frontend.json` and `labels.txt`: what lies beside every set of features."""

import json
from collections.abc import Sequence
from pathlib import Path

import pydantic

from kws import features
from kws.errors import KwsError
from kws.features import model_input
from kws.features.params import DERIVED, FRONTEND_FILE, FeatureParams

LABELS_FILE = "labels.txt"


def write(folder: str | Path, params: FeatureParams) -> None:
    """Writes `frontend.json`: the parameters, and under `derived` what follows from them.

    `derived` has `dtype`, `feature_shape` (`[frames, channels]`) and `model_input_scale`, for
    readers without this package.
    """
    content = {**params.model_dump(), DERIVED: _derived(params)}
    (Path(folder) / FRONTEND_FILE).write_text(json.dumps(content, indent=2) + "\n")


def read(folder: str | Path) -> FeatureParams:
    """Reads what `write` wrote, with or without `derived`.

    Raises:
      KwsError: there is no such file, it is not FeatureParams, or `derived` does not follow.
    """
    file = Path(folder) / FRONTEND_FILE
    if not file.is_file():
        raise KwsError(f"{file} is missing: what the features are is not known")
    text = file.read_text()
    try:
        params = FeatureParams.from_json(text)
    except pydantic.ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()
        )
        raise KwsError(f"{file} does not describe a frontend: {reasons}") from None
    written, derived = json.loads(text).get(DERIVED), _derived(params)
    if written is not None and written != derived:
        raise KwsError(
            f"{file}: derived={written} does not follow from its parameters",
            hint=f"this version would write {derived}; make the dataset anew",
        )
    return params


def check_same(expected: FeatureParams, found: FeatureParams, what: str) -> None:
    """Compares all fields.

    Args:
      expected: e.g. what the model was trained with.
      found: e.g. what the dataset has.
      what: whose parameters `found` are, for the message.

    Raises:
      KwsError: lists the fields that differ.
    """
    differences = [
        f"{name}={getattr(found, name)!r} instead of {getattr(expected, name)!r}"
        for name in FeatureParams.model_fields
        if getattr(found, name) != getattr(expected, name)
    ]
    if differences:
        raise KwsError(
            f"{what} has other features than expected: {', '.join(differences)}",
            hint="compute both with the same features section",
        )


def write_labels(folder: str | Path, labels: Sequence[str]) -> None:
    """Writes `labels.txt`, one label a line, in the order of the model's outputs."""
    (Path(folder) / LABELS_FILE).write_text("".join(f"{label}\n" for label in labels))


def read_labels(folder: str | Path) -> list[str]:
    """Reads what `write_labels` wrote."""
    return (Path(folder) / LABELS_FILE).read_text().splitlines()


def _derived(params: FeatureParams) -> dict[str, object]:
    return {
        "dtype": str(features.frontend_class(params.frontend).dtype),
        "feature_shape": list(params.feature_shape),
        "model_input_scale": model_input.input_scale(params),
    }
