"""The float model of a training, scored as the int8 one is: windows of features in, posteriors out.

For what judges a model before it is converted; figures that a user is shown come from the int8 file
(`kws.micro`).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws import features as frontends
from kws.features import files, model_input
from kws.features.params import FeatureParams
from kws.training import saved_model

if TYPE_CHECKING:
    import tensorflow as tf


class FloatModel:
    """A Keras model with what its numbers mean; a `kws.streaming.posteriors.ScoringModel`.

    Attributes:
      model: float32 `[batch, frames, channels]` to posteriors `[batch, labels]`.
      labels: in the order of the outputs.
      feature_params: of the frontend that the model was trained with.
    """

    def __init__(self, model: "tf.keras.Model", labels: list[str], feature_params: FeatureParams):
        import tensorflow as tf

        self.model = model
        self.labels = labels
        self.feature_params = feature_params
        scale = model_input.input_scale(feature_params)
        dtype = frontends.frontend_class(feature_params.frontend).dtype
        self._predict = tf.function(
            lambda features: model(tf.cast(features, tf.float32) * scale, training=False),
            autograph=False,
            input_signature=[tf.TensorSpec([None, *feature_params.feature_shape], dtype)],
        )

    @classmethod
    def load(cls, folder: str | Path) -> "FloatModel":
        """Reads what `kws.training.export` wrote.

        Raises:
          KwsError: there is no `frontend.json`.
        """
        feature_params = files.read(folder)
        return cls(saved_model.load(folder), files.read_labels(folder), feature_params)

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        """float32 `[n, labels]` of `[n, frames, channels]` in the frontend's own type."""
        return self._predict(np.ascontiguousarray(features)).numpy()
