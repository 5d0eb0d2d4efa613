"""Quantization-aware training: the model hears its own rounding while it is tuned.

Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018 (arXiv:1712.05877), section 3, as TensorFlow Model Optimization has it: after
the ordinary training every weight and activation passes an int8 rounding ("fake quantization") and
a few epochs at a low rate let the weights find values that survive it. The converter reads scales
from the fake quantization instead of measuring them; layers that have none (those of our own, see
`kws.models.keras_layers`) are calibrated on representative examples as ever.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kws._environment import require_keras_2
from kws.training.callbacks import Progress
from kws.training.dataset import Dataset
from kws.training.fit import History, fit
from kws.training.objective import Objective
from kws.training.params import TrainingParams

if TYPE_CHECKING:
    import tensorflow as tf

PREFIX = "quant_"
"""Of the names of the layers that were wrapped."""

CALIBRATION_EXAMPLES = 512
_BATCH = 64


def scope() -> AbstractContextManager[Any]:
    """Where a model with fake quantization can be loaded, cloned or made from its configuration."""
    require_keras_2()
    import tensorflow_model_optimization as tfmot

    return tfmot.quantization.keras.quantize_scope()


def tune(
    model: "tf.keras.Model",
    train: Dataset,
    eval_data: Dataset,
    params: TrainingParams,
    calibration: np.ndarray,
    *,
    objective: Objective | None = None,
    log_dir: str | Path | None = None,
    checkpoint_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> "tuple[tf.keras.Model, History]":
    """Rewrites a trained model with fake quantization and tunes it.

    Args:
      model: trained; it stays as it is.
      train: what it was trained on.
      eval_data: what its epochs were judged by.
      params: of its training; `quantization_aware` says for how long and how fast. Weights are not
        averaged: the ranges that go with an average are none that any step had.
      calibration: features `[n, frames, channels]` in the frontend's type, from which the ranges
        start; the range of the input is never narrower than theirs.
      objective: see `kws.training.fit.fit`.
      log_dir: see `kws.training.fit.fit`.
      checkpoint_dir: see `kws.training.fit.fit`.
      progress: see `kws.training.fit.fit`.

    Returns:
      Another model, whose layers are those of `model` in wrappers named with `PREFIX`, with the
      weights of its best epoch; and how that went.
    """
    wanted = params.quantization_aware
    assert wanted is not None
    tuned = rewritten(model, calibration.astype(np.float32) * np.float32(train.scale))
    own = params.model_copy(
        update={
            "epochs": wanted.epochs,
            "quantization_aware": None,
            "learning_rate": wanted.learning_rate,
            "weight_average": 0.0,
            "early_stopping": None,
            "distillation": None,
        }
    )
    history = fit(
        tuned,
        train,
        eval_data,
        own,
        objective=objective,
        log_dir=log_dir,
        checkpoint_dir=checkpoint_dir,
        progress=progress,
    )
    return tuned, history


def rewritten(model: "tf.keras.Model", inputs: np.ndarray) -> "tf.keras.Model":
    """A copy of the model with fake quantization wherever it is known how, and ranges measured.

    Args:
      model: its weights are copied.
      inputs: float32 `[n, frames, channels]`, as the model is fed.
    """
    import tensorflow as tf
    import tensorflow_model_optimization as tfmot

    require_keras_2()
    quantization = tfmot.quantization.keras
    # The library leaves the input's layer to Keras to name: the same name in whatever process.
    tf.keras.backend.reset_uids()
    with scope():
        annotated = tf.keras.models.clone_model(model, clone_function=_annotated)
        annotated.set_weights(model.get_weights())
        copy = quantization.quantize_apply(annotated, quantized_layer_name_prefix=PREFIX)
    _own_dropout_generators(copy)
    _measure(copy, inputs)
    return copy


def _own_dropout_generators(model: "tf.keras.Model") -> None:
    """Gives dropout layers what `kws.models.blocks.dropout` gave them; copying forgets it.

    The training loop sets these generators from (seed, step), so that a killed tuning resumes.
    """
    import tensorflow as tf

    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, tf.keras.layers.Dropout):
            layer._random_generator = type(layer._random_generator)(rng_type="stateful")
            layer._random_generator._maybe_init()


def calibration_features(train: Dataset, seed: int) -> np.ndarray:
    """`CALIBRATION_EXAMPLES` features of the training split, `[n, frames, channels]`."""
    features, _ = next(iter(train.shuffled(CALIBRATION_EXAMPLES, seed, epoch=0)))
    return features


def copy_plain_weights(tuned: "tf.keras.Model", plain: "tf.keras.Model") -> None:
    """Gives a model without fake quantization the weights of one with it, layer by layer.

    Raises:
      KeyError, ValueError: they are not the same architecture.
    """
    names = {layer.name for layer in tuned.layers}
    for layer in plain.layers:
        if not layer.weights:
            continue
        wrapped = f"{PREFIX}{layer.name}"
        source = tuned.get_layer(wrapped if wrapped in names else layer.name)
        by_name = {_own_name(weight): weight for weight in source.weights}
        for weight in layer.weights:
            weight.assign(by_name[_own_name(weight)])


def _own_name(weight: "tf.Variable") -> str:
    """`kernel` of `conv/kernel:0`."""
    return weight.name.split("/")[-1].split(":")[0]


def _annotated(layer: "tf.keras.layers.Layer") -> "tf.keras.layers.Layer":
    import tensorflow as tf
    import tensorflow_model_optimization as tfmot
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_registry,
    )

    known = default_8bit_quantize_registry.Default8BitQuantizeRegistry()
    # Keras' graphs remember who called a layer: the copy gets layers of its own.
    layer = type(layer).from_config(layer.get_config())
    # Batch normalization is known where it follows a convolution, and only there.
    normalizes = type(layer) is tf.keras.layers.BatchNormalization
    if not (normalizes or known.supports(layer)):
        return layer
    return tfmot.quantization.keras.quantize_annotate_layer(layer)


def _measure(model: "tf.keras.Model", inputs: np.ndarray) -> None:
    """Sets all ranges from the weights and from the activations that `inputs` give.

    The library starts every activation's range at -6..6 and moves it by a thousandth a step, which
    takes some thousand steps to be forgotten: more than a tuning has.
    """
    import tensorflow as tf
    from tensorflow_model_optimization.python.core.quantization.keras import (
        quantize_layer,
        quantize_wrapper,
    )

    watcher = _watcher()
    put_back = []

    def replace(owner: Any, attribute: str, value: Any) -> None:
        put_back.append((owner, attribute, getattr(owner, attribute)))
        setattr(owner, attribute, value)

    for layer in model.layers:
        for weight in layer.weights:
            if _own_name(weight).endswith(("_min", "_max")):
                weight.assign(tf.zeros_like(weight))
        if isinstance(layer, quantize_layer.QuantizeLayer):
            replace(layer, "quantizer", watcher)
        elif isinstance(layer, quantize_wrapper.QuantizeWrapper):
            for weight, quantizer, ranges in layer._weight_vars:
                quantizer(weight, True, weights=ranges)
            for activation in layer._quantize_activations:
                replace(activation, "quantizer", watcher)
            if layer._output_quantizers:
                replace(layer, "_output_quantizers", [watcher])
    for start in range(0, len(inputs), _BATCH):
        model(tf.constant(inputs[start : start + _BATCH]), training=False)
    for owner, attribute, value in put_back:
        setattr(owner, attribute, value)


def _watcher() -> Any:
    """A quantizer that rounds nothing and widens the range to all that passes; zero is in it."""
    import tensorflow as tf
    import tensorflow_model_optimization as tfmot

    class Watcher(tfmot.quantization.keras.quantizers.Quantizer):
        def build(self, tensor_shape: Any, name: str, layer: Any) -> dict:
            return {}

        def __call__(self, inputs: Any, training: Any, weights: dict, **kwargs: Any) -> Any:
            lowest, highest = weights["min_var"], weights["max_var"]
            lowest.assign(tf.minimum(lowest, tf.reduce_min(inputs)))
            highest.assign(tf.maximum(highest, tf.reduce_max(inputs)))
            return inputs

        def get_config(self) -> dict:
            return {}

    return Watcher()
