"""The form of a Keras model that a device runs, and the one place where it becomes a file.

A windowed model goes to the device as it is, but for what `kws.micro.fold` folds. A streaming one
was trained on whole clips and goes in its one-step form, which takes the next few frames and
remembers the former ones.
"""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from kws.features import model_input
from kws.features.params import FeatureParams
from kws.micro import fold, mul_scales, offset_fold, slim, stateful
from kws.micro.int8_file import Kind
from kws.models import registry
from kws.models.params import ModelParams

if TYPE_CHECKING:
    import tensorflow as tf

_BATCH = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeviceForm:
    """A float model as the device runs it.

    Attributes:
      kind: "windowed" or "streaming".
      model: float32 `[1, frames, channels]` to posteriors; streaming: the one-step form.
      frames_per_inference: of a clip or a step.
    """

    kind: Kind
    model: "tf.keras.Model"
    frames_per_inference: int

    @classmethod
    def of(
        cls,
        model: "tf.keras.Model",
        model_params: ModelParams | None,
        feature_params: FeatureParams,
        num_labels: int,
    ) -> "DeviceForm":
        """Finds the form.

        Args:
          model: trained, on clips.
          model_params: what it was built by; None: a windowed model that is not of the zoo.
          feature_params: of its features.
          num_labels: what it was built for.
        """
        shape = feature_params.feature_shape
        if model_params is None or not registry.architecture(model_params.name).STREAMING:
            return cls(kind="windowed", model=fold.folded(model), frames_per_inference=shape[0])
        context = feature_params.context_shape
        step_form = registry.build_step(model_params, context, num_labels, model)
        return cls(kind="streaming", model=step_form, frames_per_inference=step_form.input_shape[1])

    @property
    def frames_per_step(self) -> int | None:
        """None of a windowed model."""
        return self.frames_per_inference if self.kind == "streaming" else None

    def to_tflite(
        self, calibration: np.ndarray, feature_params: FeatureParams, io_type: Any
    ) -> bytes:
        """The bytes of a `.tflite` file, batch 1; the same input gives the same bytes.

        Args:
          calibration: `[n, frames, channels]` of typical clips in the frontend's own type. To a
            streaming model they are one stream, one after another: it meets words at any phase of
            its steps and with all kinds of sound before them, as on the device.
          feature_params: what they were made with.
          io_type: `tf.int8` or `tf.float32`, of the file's input and output.
        """
        if self.kind == "windowed":
            return windowed_to_tflite(self.model, calibration, feature_params, io_type)
        clips = model_input.to_model_input(calibration, feature_params)
        stream = clips.reshape(-1, clips.shape[-1])
        content = slim.slim(stateful.to_tflite(self.model, stream, io_type))
        return mul_scales.agree(offset_fold.fold_offsets(content))


def windowed_to_tflite(
    model: "tf.keras.Model",
    calibration: np.ndarray,
    feature_params: FeatureParams,
    io_type: Any,
) -> bytes:
    """See `DeviceForm.to_tflite`.

    A fixed batch keeps the operators that compute shapes (SHAPE, STRIDED_SLICE, PACK) out of the
    device's file.
    """
    import tensorflow as tf

    signature = tf.TensorSpec([1, *feature_params.feature_shape], tf.float32, name="features")
    # Autograph has nothing to do here, and Keras would trace each layer of a model that is kept
    # rather than its weights: without both a conversion takes a tenth of the time.
    function = tf.function(lambda features: model(features, training=False), autograph=False)
    kept = tf.Module()
    kept.weights = model.weights
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(signature)], kept
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [values[None]] for batch in model_inputs(calibration, feature_params) for values in batch
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = io_type
    converter.inference_output_type = io_type
    return mul_scales.agree(slim.slim(converter.convert()))


def model_inputs(features: np.ndarray, params: FeatureParams) -> Iterator[np.ndarray]:
    """float32 batches `[n, frames, channels]` of features in the frontend's type."""
    for start in range(0, len(features), _BATCH):
        yield model_input.to_model_input(features[start : start + _BATCH], params)
