"""The zoo: finds an architecture by its name, checks its options, builds the Keras model.

An architecture is a file of this package that has `Options` (a Params section), `STREAMING`
(whether it has a one-step form that keeps state between calls) and `build(options, feature_shape,
num_labels)`. Dropping such a file in is all it takes to add one. It may also have

  - `VARIANTS`: the sizes that its paper names, each the options that it differs in;
  - `OUTPUT`: "labels" (posteriors of a clip) if not said otherwise, or "steps" (see `trigger_gru`);

and, if it is streaming, has

  - `build_step(options, feature_shape, num_labels)`: the one-step form;
  - `frames_per_step(options)` and `receptive_field_frames(options, feature_shape)`;
  - `build_spotter(options, feature_shape, num_labels, context_frames)`: the training form for clips
    that are longer than what one posterior depends on (see `mixed_net`);
  - `LEARNS_FROM`: the frontend of what that form is trained on, where it is not the model's own
    features (see `speech_embedding`).
"""

import importlib
import pkgutil
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pydantic

import kws.models
from kws._environment import require_keras_2
from kws.errors import KwsError
from kws.models import causal
from kws.models.params import ModelParams
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf


def names() -> list[str]:
    """Names of all architectures, sorted. Imports no TensorFlow."""
    found = sorted(module.name for module in pkgutil.iter_modules(kws.models.__path__))
    # Custom layers are not an architecture; looking at them would import TensorFlow.
    found.remove("keras_layers")
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


def output(name: str) -> str:
    """What an architecture gives: "labels" or "steps", see above."""
    return getattr(architecture(name), "OUTPUT", "labels")


def learns_from(name: str) -> str | None:
    """The frontend of what a spotter is trained on; None: the model's own, see above."""
    return getattr(architecture(name), "LEARNS_FROM", None)


def variants(name: str) -> dict[str, dict[str, Any]]:
    """The sizes that an architecture's paper names, and the options in which they differ."""
    return getattr(architecture(name), "VARIANTS", {})


def options(params: ModelParams) -> Params:
    """The options of the architecture with its defaults filled in. Imports no TensorFlow.

    Raises:
      KwsError: a variant or an option that the architecture does not have, or a value that it
        refuses.
    """
    kind: type[Params] = architecture(params.name).Options
    known = variants(params.name)
    chosen: dict[str, Any] = {}
    if params.variant in known:
        chosen = known[params.variant]
    elif params.variant is not None:
        raise KwsError(
            f"model.variant={params.variant!r} is no variant of {params.name}",
            hint=f"one of {', '.join(known)}" if known else "it has none: leave model.variant out",
        )
    for option in params.options:
        if option not in kind.model_fields:
            raise KwsError(
                f"model.options.{option} is no option of {params.name}",
                hint=f"it has {', '.join(kind.model_fields)}; instead of a preset's model and its "
                f"options give model={{name: {params.name}}}",
            )
    try:
        return kind(**{**chosen, **params.options})
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in ("model.options", *first["loc"]))
        raise KwsError(f"{path}={first['input']!r}: {first['msg']}") from error


def build(
    params: ModelParams,
    feature_shape: tuple[int, int],
    num_labels: int,
    *,
    seed: int = 0,
    context_frames: int | None = None,
) -> "tf.keras.Model":
    """A Keras 2 model with freshly drawn weights.

    Args:
      params: architecture and options.
      feature_shape: `[frames, channels]` of one clip.
      num_labels: length of `kws.labels.label_list(keywords)`.
      seed: of the initial weights; sets TensorFlow's global seed too.
      context_frames: of the clip, what one posterior depends on, fewer than all (see
        `FeatureParams.context_frames`); None: all of it.

    Returns:
      A model from float32 `[batch, frames, channels]` to softmax posteriors `[batch, num_labels]`
      (or `[batch, steps, 1]`, see `trigger_gru`).

    Raises:
      KwsError: unknown architecture, variant or option, features that are too small for it, or a
        context that it cannot have.
    """
    import tensorflow as tf

    require_keras_2()
    chosen = options(params)
    tf.keras.utils.set_random_seed(seed)
    # Keras numbers the layers of plain operations through the whole process, and checkpoints go by
    # the names: the same ones whatever was built before.
    tf.keras.backend.reset_uids()
    module = architecture(params.name)
    if context_frames is None:
        return module.build(chosen, feature_shape, num_labels)
    check_context(params.name)
    return module.build_spotter(chosen, feature_shape, num_labels, context_frames)


def check_context(name: str) -> None:
    """Refuses an architecture that cannot be trained on clips longer than its context.

    Raises:
      KwsError: it has no `build_spotter`.
    """
    if not hasattr(architecture(name), "build_spotter"):
        able = [other for other in names() if hasattr(architecture(other), "build_spotter")]
        raise KwsError(
            f"features.context_ms: model {name} always hears whole clips",
            hint=f"leave context_ms out, or take {' or '.join(able)}",
        )


def build_step(
    params: ModelParams,
    feature_shape: tuple[int, int],
    num_labels: int,
    trained: "tf.keras.Model",
) -> "tf.keras.Model":
    """The one-step form of a streaming model, at the start of a stream.

    Args:
      params: what `build` was given.
      feature_shape: what `build` was given; that of the context, where there is one.
      num_labels: what `build` was given.
      trained: what `build` gave; its weights are copied.

    Returns:
      A model from the next frames `[1, frames_per_step, channels]` to posteriors `[1, num_labels]`,
      whose state changes with every call. From the start of a stream on it gives what `trained`
      gives for the same frames.

    Raises:
      KwsError: the architecture is windowed, or as of `build`.
    """
    chosen, module = options(params), architecture(params.name)
    if not module.STREAMING:
        streaming = [name for name in names() if architecture(name).STREAMING]
        raise KwsError(
            f"model.name={params.name!r} is windowed and has no one-step form",
            hint=f"streaming ones: {', '.join(streaming)}",
        )
    step_form = module.build_step(chosen, feature_shape, num_labels)
    causal.copy_weights(trained, step_form)
    return step_form


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"kws.models.{name}")
