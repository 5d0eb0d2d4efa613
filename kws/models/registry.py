"""The zoo: finds an architecture by its name, checks its options, builds the Keras model.

An architecture is a file of this package that has `Options` (a Params section), `STREAMING`
(whether the model keeps state between slices) and `build(options, feature_shape, num_labels)`.
Dropping such a file in is all it takes to add one.
"""

import importlib
import pkgutil
from types import ModuleType
from typing import TYPE_CHECKING

import pydantic

import kws.models
from kws._environment import require_keras_2
from kws.errors import KwsError
from kws.models.params import ModelParams
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf


def names() -> list[str]:
    """Names of all architectures, sorted. Imports no TensorFlow."""
    found = sorted(module.name for module in pkgutil.iter_modules(kws.models.__path__))
    return [name for name in found if hasattr(_module(name), "STREAMING")]


def architecture(name: str) -> ModuleType:
    """The file of an architecture.

    Raises:
      KwsError: there is none of that name.
    """
    known = names()
    if name not in known:
        raise KwsError(f"model.name={name!r} is no known model", hint=f"one of {', '.join(known)}")
    return _module(name)


def options(params: ModelParams) -> Params:
    """The options of the architecture with its defaults filled in. Imports no TensorFlow.

    Raises:
      KwsError: an option that the architecture does not have, or a value that it refuses.
    """
    kind: type[Params] = architecture(params.name).Options
    for option in params.options:
        if option not in kind.model_fields:
            raise KwsError(
                f"model.options.{option} is no option of {params.name}",
                hint=f"it has {', '.join(kind.model_fields)}",
            )
    try:
        return kind(**params.options)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in ("model.options", *first["loc"]))
        raise KwsError(f"{path}={first['input']!r}: {first['msg']}") from error


def build(
    params: ModelParams, feature_shape: tuple[int, int], num_labels: int, *, seed: int = 0
) -> "tf.keras.Model":
    """A Keras 2 model with freshly drawn weights.

    Args:
      params: architecture and options.
      feature_shape: `[frames, channels]` of one clip.
      num_labels: length of `kws.labels.label_list(keywords)`.
      seed: of the initial weights; sets TensorFlow's global seed too.

    Returns:
      A model from float32 `[batch, frames, channels]` to softmax posteriors `[batch, num_labels]`.

    Raises:
      KwsError: unknown architecture or option.
    """
    import tensorflow as tf

    require_keras_2()
    chosen = options(params)
    tf.keras.utils.set_random_seed(seed)
    return architecture(params.name).build(chosen, feature_shape, num_labels)


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"kws.models.{name}")
