"""The search space against the configuration: every path is checked before anything runs."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args

import pydantic

from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.params import Params
from kws.training.params import TrainingParams
from kws.training.tuning import Dimension, TuningParams

if TYPE_CHECKING:
    import keras_tuner

P = TypeVar("P", bound=Params)

MODEL, TRAINING, FEATURES = "model", "training", "features"
"""The sections that can be searched: first part of a path."""
_MAX_FEATURES = 16
_FIXED = {
    "model.name": "the search is within one architecture; compare two by two runs",
    "training.epochs": "a trial has tuning.epochs, the training after the search training.epochs",
    "training.seed": "all trials share the seed, so that they differ in nothing else",
    "training.cache_bytes": "it changes no result",
    "training.checkpoint_every_steps": "it changes no result",
    "training.warm_start": "all trials begin anew",
    "features.sample_rate": "the recordings are made with it",
    "features.clip_duration_ms": "the recordings are made with it",
}
_JSON = "json:"
"""Begins a value that KerasTuner cannot hold: it knows numbers and text, all of one kind."""


class Sections(NamedTuple):
    """What a trial is made of."""

    model: ModelParams
    training: TrainingParams
    features: FeatureParams

    def applied(self, values: Mapping[str, Any]) -> "Sections":
        """With other values of some fields, see `applied`."""
        return Sections(
            applied(MODEL, self.model, values),
            applied(TRAINING, self.training, values),
            applied(FEATURES, self.features, values),
        )


def applied(section: str, params: P, values: Mapping[str, Any]) -> P:
    """A section with the values whose paths begin with its name; others are passed over.

    Raises:
      KwsError: names the path whose value the section refuses.
    """
    own = {path: value for path, value in values.items() if path.startswith(f"{section}.")}
    if not own:
        return params
    content = params.model_dump()
    for path, value in own.items():
        _, *sections, field = path.split(".")
        inner = content
        for name in sections:
            inner = inner[name]
        inner[field] = value
    try:
        return type(params)(**content)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        told = ", ".join(f"{path}={value!r}" for path, value in own.items())
        raise KwsError(f"{told}: {message}") from None


def check(tuning: TuningParams, sections: Sections) -> list[FeatureParams]:
    """Every path must name a field that can be searched, and every value be one it may have.

    Returns:
      The parameters of all features that trials may have.

    Raises:
      KwsError: names the path and what would be right.
    """
    for path, dimension in tuning.space.items():
        _check_path(path, sections)
        if path.startswith(f"{FEATURES}.") and dimension.values is None:
            raise KwsError(
                f"tuning.space.{path} is a range: features are computed once for each value",
                hint="give a list of values",
            )
        for value in dimension.probes:
            try:
                registry.options(sections.applied({path: value}).model)
            except KwsError as error:
                raise KwsError(f"tuning.space.{path}: {error.message}", error.hint) from None
    return _all_features(tuning.space, sections.features)


def hyperparameters(space: Mapping[str, Dimension]) -> "keras_tuner.HyperParameters":
    """The space in KerasTuner's form; names are the paths."""
    import keras_tuner

    made = keras_tuner.HyperParameters()
    for path, dimension in space.items():
        if dimension.values is not None:
            made.Choice(path, _choices(dimension.values))
            continue
        kind = made.Int if dimension.whole else made.Float
        sampling = "log" if dimension.log else "linear"
        kind(path, dimension.min, dimension.max, step=dimension.step, sampling=sampling)
    return made


def configured(space: Mapping[str, Dimension], sections: Sections) -> dict[str, Any] | None:
    """What the sections say without a search, in KerasTuner's form; None if it is not in the
    space."""
    found = {}
    for path, dimension in space.items():
        section, *_, field = path.split(".")
        params = getattr(sections, section)
        inner = registry.options(params) if path.startswith(f"{MODEL}.options.") else params
        value = getattr(inner, field)
        if dimension.values is not None:
            value = list(value) if isinstance(value, tuple) else value
            if value not in dimension.values:
                return None
            value = _choices(dimension.values)[dimension.values.index(value)]
        elif dimension.step is not None or not dimension.min <= value <= dimension.max:
            return None
        found[path] = value
    return found


def values_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Path to value, from `HyperParameters.get_config()`, as TFX's Tuner writes it."""
    return {
        path: json.loads(value[len(_JSON) :]) if str(value).startswith(_JSON) else value
        for path, value in config["values"].items()
        if not path.startswith("tuner/")  # Hyperband's own
    }


def text_of(values: Mapping[str, Any]) -> str:
    """For a log line: `model.options.filters=48, training.learning_rate=0.002`."""
    return ", ".join(
        f"{path}={value:.4g}" if isinstance(value, float) else f"{path}={value}"
        for path, value in values.items()
    )


def _check_path(path: str, sections: Sections) -> None:
    section, *names = path.split(".")
    if section not in Sections._fields or not names:
        raise KwsError(
            f"tuning.space.{path} cannot be searched",
            hint="paths begin with model.options, model.variant, training or features",
        )
    if path in _FIXED:
        raise KwsError(f"tuning.space.{path} cannot be searched: {_FIXED[path]}")
    if names[0] == "options" and section == MODEL:
        if len(names) != 2:
            raise KwsError(f"tuning.space.{path} is not of the form model.options.NAME")
        return  # the registry knows the options
    kind = type(getattr(sections, section))
    nested = [field for field in kind.model_fields if _is_section(kind, field)]
    if names[0] in nested:
        raise KwsError(
            f"tuning.space.{path} cannot be searched: the section {section}.{names[0]} is for all "
            "trials as it is, or for the training after the search"
        )
    known = [
        field
        for field in kind.model_fields
        if field not in nested and f"{section}.{field}" not in _FIXED
    ]
    if len(names) > 1 or names[0] not in known:
        raise KwsError(f"tuning.space.{path}: unknown key", hint=f"known here: {', '.join(known)}")


def _is_section(kind: type[Params], field: str) -> bool:
    annotation = kind.model_fields[field].annotation
    kinds = (annotation, *get_args(annotation))
    return any(isinstance(kind, type) and issubclass(kind, Params) for kind in kinds)


def _all_features(space: Mapping[str, Dimension], features: FeatureParams) -> list[FeatureParams]:
    lists = {p: d.values or () for p, d in space.items() if p.startswith(f"{FEATURES}.")}
    found: list[FeatureParams] = []
    for values in itertools.product(*lists.values()):
        if len(found) == _MAX_FEATURES:
            raise KwsError(
                f"tuning.space has more than {_MAX_FEATURES} combinations of "
                f"{', '.join(lists)}: each is computed for all clips",
                hint="search fewer at a time",
            )
        try:
            found.append(applied(FEATURES, features, dict(zip(lists, values, strict=True))))
        except KwsError as error:
            raise KwsError(f"tuning.space: {error.message}") from None
    return found


def _choices(values: Sequence[Any]) -> list[Any]:
    if all(type(value) is int for value in values) or all(isinstance(v, str) for v in values):
        return list(values)
    if all(type(value) in (int, float) for value in values):
        return [float(value) for value in values]
    return [_JSON + json.dumps(value) for value in values]
