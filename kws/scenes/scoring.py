"""What a model says of a scene, step by step: in float as it was trained, and as on the device."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from kws.features import model_input
from kws.features.params import FeatureParams

if TYPE_CHECKING:
    import tensorflow as tf


class DeviceModel(Protocol):
    """What is asked of it; `kws.micro.streaming_model.Int8StreamingModel` is the one that ships."""

    def quantize(self, features: np.ndarray) -> np.ndarray: ...

    def inferences(self, inputs: np.ndarray) -> np.ndarray: ...

    def run_inferences(self, inputs: np.ndarray) -> np.ndarray: ...

    def dequantize(self, outputs: np.ndarray) -> np.ndarray: ...


def device_scores(model: DeviceModel, features: np.ndarray, steps: int) -> np.ndarray:
    """float32 `[steps]` of a scene `[frames, channels]`, from the start of a stream.

    The training form's first answer comes when its convolution is full. The device answers before
    that too, with zeros for what it has not heard; those answers are left out here.

    Raises:
      ValueError: the model gives fewer answers than `steps`.
    """
    inputs = model.inferences(model.quantize(features[None]))
    scores = model.dequantize(model.run_inferences(inputs))[0, :, 0]
    if len(scores) < steps:
        raise ValueError(f"the model gives {len(scores)} answers, the scene has {steps} labels")
    return scores[len(scores) - steps :]


def float_scores(
    model: "tf.keras.Model", params: FeatureParams
) -> Callable[[np.ndarray], np.ndarray]:
    """A function from the features of a scene, `[frames, channels]`, to float32 `[steps]`.

    Compiled: a recurrent layer called as it is runs its loop in Python, seconds for each scene.
    """
    import tensorflow as tf

    predict = tf.function(
        lambda inputs: model(inputs, training=False),
        autograph=False,
        input_signature=[tf.TensorSpec([1, *params.feature_shape], tf.float32)],
    )

    def score(features: np.ndarray) -> np.ndarray:
        return predict(model_input.to_model_input(features[None], params)).numpy()[0, :, 0]

    return score
