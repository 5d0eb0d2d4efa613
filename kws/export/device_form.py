"""The form of a Keras model that a device runs, and its conversion to a TFLite file.

A windowed model is converted as it is, except for what `kws.export.rewrites` folds. A streaming
model was trained on whole clips; its one-step form takes the next few frames and remembers earlier
ones in variables, which stay inside the int8 file.

Such conversions fail elsewhere in three ways, which are avoided here:

  - Converted from a function, variables are frozen or refused. Through a SavedModel, variables that
    are never assigned become constants and only the state remains (VAR_HANDLE, READ_VARIABLE,
    ASSIGN_VARIABLE; CALL_ONCE sets the initial values).
  - The state stays in floats between DEQUANTIZE and QUANTIZE (tensorflow issue 59390, kws_streaming
    issue 1613): `_experimental_variable_quantization` makes the variables int8.
  - What calibration left in the state would become its initial value: the model is reset first.
"""

import dataclasses
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from kws._environment import require_keras_2
from kws.errors import KwsError
from kws.export import flatbuffer, rewrites
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.models import causal, registry
from kws.models.params import ModelParams
from kws.runtime.int8_file import Kind

if TYPE_CHECKING:
    import tensorflow as tf


def streaming_to_tflite(
    step_form: "tf.keras.Model", stream: np.ndarray, io_type: Any, output_type: Any = None
) -> bytes:
    """The bytes of a `.tflite` file, batch 1.

    Args:
      step_form: of `kws.models.registry.build_step`; is left at the start of a stream.
      stream: what calibrates, float32 `[frames, channels]`, fed in order; as long and as varied as
        can be, for the state's ranges are seen only when it has filled. A rest shorter than a step
        is not used.
      io_type: `tf.int8` or `tf.float32`.
      output_type: of the output, where it is another: `tf.uint8`.

    Raises:
      KwsError: the stream holds not even one step, or another number of channels.
    """
    import tensorflow as tf

    require_keras_2()
    _, frames, channels = step_form.input_shape
    count = len(stream) // frames
    if not count or stream.shape[1:] != (channels,):
        raise KwsError(
            f"a stream of shape {list(stream.shape)} cannot calibrate a model that takes "
            f"{frames} frames x {channels} channels a step"
        )
    steps = np.asarray(stream[: count * frames], np.float32).reshape(count, 1, frames, channels)
    causal.forget(step_form)
    function = tf.function(
        lambda features: step_form(features, training=False),
        input_signature=[tf.TensorSpec([1, frames, channels], tf.float32, name="features")],
        autograph=False,
    )
    # The weights and not the model, of which Keras would trace each layer.
    module = tf.Module()
    module.weights = step_form.weights
    with tempfile.TemporaryDirectory(prefix="stateful-") as folder:
        tf.saved_model.save(module, folder, signatures=function.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.experimental_enable_resource_variables = True
        converter._experimental_variable_quantization = True
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([step] for step in steps)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = io_type
        converter.inference_output_type = output_type or io_type
        return converter.convert()


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
            return cls(
                kind="windowed",
                model=rewrites.fold_subspectral_norm(model),
                frames_per_inference=shape[0],
            )
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
        content = flatbuffer.slim(streaming_to_tflite(self.model, stream, io_type))
        return rewrites.agree_mul_scales(rewrites.fold_offsets(content))


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
    return rewrites.agree_mul_scales(flatbuffer.slim(converter.convert()))


def model_inputs(features: np.ndarray, params: FeatureParams) -> Iterator[np.ndarray]:
    """float32 batches `[n, frames, channels]` of features in the frontend's type."""
    for start in range(0, len(features), _BATCH):
        yield model_input.to_model_input(features[start : start + _BATCH], params)
