"""Loading of what `kws.training.export` wrote, with or without fake quantization in it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from kws.errors import KwsError
from kws.features import files
from kws.models import registry
from kws.models.params import ModelParams
from kws.training.export import TRAINING_FILE

if TYPE_CHECKING:
    import tensorflow as tf


def load(folder: str | Path) -> "tf.keras.Model":
    """The Keras model of the folder, as it was exported; not compiled."""
    import tensorflow as tf

    if not _quantization_aware(folder):
        return tf.keras.models.load_model(str(folder), compile=False)
    from kws.training import quantization_aware

    with quantization_aware.scope():
        return tf.keras.models.load_model(str(folder), compile=False)


def load_plain(folder: str | Path) -> "tf.keras.Model":
    """The Keras model of the folder with the layers that its architecture has, and no others.

    Raises:
      KwsError: it has fake quantization, and `training.json` is of another zoo than this.
    """
    model = load(folder)
    if not _quantization_aware(folder):
        return model
    from kws.training import quantization_aware

    written = json.loads((Path(folder) / TRAINING_FILE).read_text())
    frames, channels = written["feature_shape"]
    labels = files.read_labels(folder)
    plain = registry.build(
        ModelParams(**written["model"]),
        (frames, channels),
        len(labels),
        context_frames=files.read(folder).context_frames,
    )
    try:
        quantization_aware.copy_plain_weights(model, plain)
    except (KeyError, ValueError) as error:
        raise KwsError(f"{folder} holds another network than its {TRAINING_FILE} says") from error
    return plain


def _quantization_aware(folder: str | Path) -> bool:
    file = Path(folder) / TRAINING_FILE
    if not file.is_file():
        return False
    return bool(json.loads(file.read_text())["training"].get("quantization_aware"))
