"""Warm start: a fresh model takes the weights of one that was trained before.

Weights go over layer by layer. The output layer has a column (a unit) for each label: a label that
both models know keeps its own, one that only the new model knows stays as it was drawn, one that
only the old model knew is dropped. All other layers must have the same shapes: a model of another
architecture or of other features is refused, not half copied.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws.errors import KwsError
from kws.features import files
from kws.features.params import FeatureParams
from kws.labels import UNKNOWN
from kws.models.mixed_net import LOGITS
from kws.models.params import ModelParams
from kws.params import Params
from kws.training import saved_model
from kws.training.saved_model import TRAINING_FILE

if TYPE_CHECKING:
    import tensorflow as tf

log = logging.getLogger(__name__)

_HINT = "train from the beginning: training.warm_start=false"


class WarmStart(Params):
    """What was taken over.

    Attributes:
      base: folder of the old model.
      kept: labels that both models know, in the order of the new one's.
      fresh: labels that the old model did not know.
      dropped: labels that only the old model knew.
    """

    base: str
    kept: tuple[str, ...]
    fresh: tuple[str, ...]
    dropped: tuple[str, ...]

    def sentence(self) -> str:
        """For the log."""
        parts = [f"Training starts from {self.base}; labels kept: {', '.join(self.kept)}"]
        parts += [f"new: {', '.join(self.fresh)}"] if self.fresh else []
        parts += [f"dropped: {', '.join(self.dropped)}"] if self.dropped else []
        return "; ".join(parts)


def start_from(
    model: "tf.keras.Model",
    folder: str | Path,
    model_params: ModelParams,
    labels: Sequence[str],
    feature_params: FeatureParams,
) -> WarmStart:
    """Gives a freshly built model the weights of the float model in a folder, in place.

    Args:
      model: as `kws.models.registry.build` made it of `model_params`.
      folder: what `kws.training.saved_model` wrote: a SavedModel, `labels.txt`, `frontend.json`,
        `training.json`.
      model_params: for the message, where the architectures differ.
      labels: of the new model's outputs.
      feature_params: of the new model's features.

    Raises:
      KwsError: the folder holds no such model, or one of other features or another architecture.
    """
    folder = Path(folder)
    if not (folder / TRAINING_FILE).is_file():
        raise KwsError(f"{folder} holds no trained float model: {TRAINING_FILE} is missing")
    try:
        files.check_same(feature_params, files.read(folder), f"the model to start from, {folder},")
    except KwsError as error:
        raise KwsError(error.message, hint=_HINT) from None
    written = json.loads((folder / TRAINING_FILE).read_text())["model"]
    base = saved_model.load_plain(folder)
    base_labels = files.read_labels(folder)
    differs = KwsError(
        f"the model to start from, {folder}, is another architecture: "
        f"{_described(ModelParams(**written))}, and this is {_described(model_params)}",
        hint=_HINT,
    )
    old, new = _weighted(base), _weighted(model)
    if len(old) != len(new):
        raise differs
    output = _output_layer(new)
    taken = []
    for layer, (one, other) in enumerate(zip(old, new, strict=True)):
        weights = one.get_weights()
        if layer == output:
            outputs = _outputs(weights, base_labels, other.get_weights(), labels)
            if outputs is None:
                raise differs
            weights = outputs
        elif _shapes(one) != _shapes(other):
            raise differs
        taken.append(weights)
    for layer, weights in zip(new, taken, strict=True):
        layer.set_weights(weights)
    result = WarmStart(
        base=str(folder),
        kept=tuple(label for label in labels if label in base_labels),
        fresh=tuple(label for label in labels if label not in base_labels),
        dropped=tuple(label for label in base_labels if label not in labels),
    )
    log.info(result.sentence())
    return result


def _weighted(model: "tf.keras.Model") -> "list[tf.keras.layers.Layer]":
    """Layers that have weights, in the order of the model: names count up from model to model."""
    return [layer for layer in model.layers if layer.weights]


def _output_layer(layers: "Sequence[tf.keras.layers.Layer]") -> int:
    """The place of the one whose units are labels: the last, but of a `mixed_net` for one keyword,
    where that tells silence from other sound whatever the keyword is."""
    names = [layer.name for layer in layers]
    head = f"{LOGITS}_head"
    return names.index(head) if head in names else len(names) - 1


def _shapes(layer: "tf.keras.layers.Layer") -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]


def _outputs(
    old: list[np.ndarray], old_labels: Sequence[str], new: list[np.ndarray], labels: Sequence[str]
) -> list[np.ndarray] | None:
    """The last layer's weights, `[..., outputs]` each; None where the layers do not fit."""
    if [values.shape[:-1] for values in old] != [values.shape[:-1] for values in new]:
        return None
    before = _names(old[0].shape[-1], old_labels)
    after = _names(new[0].shape[-1], labels)
    if before is None or after is None:
        return old if list(old_labels) == list(labels) else new
    columns = [(after.index(name), before.index(name)) for name in after if name in before]
    merged = []
    for values, fresh in zip(old, new, strict=True):
        made = fresh.copy()
        for to, source in columns:
            made[..., to] = values[..., source]
        merged.append(made)
    return merged


def _names(width: int, labels: Sequence[str]) -> list[str] | None:
    """What the outputs are for: a label each, a keyword each, or the rest and a keyword each."""
    keywords = list(labels[2:])
    choices = (list(labels), keywords, [UNKNOWN, *keywords])
    return {len(names): names for names in choices}.get(width)


def _described(params: ModelParams) -> str:
    variant = f" {params.variant}" if params.variant else ""
    options = f" with {json.dumps(params.options, sort_keys=True)}" if params.options else ""
    return f"{params.name}{variant}{options}"
