"""The one-step form of a streaming model as an int8 file that keeps its state inside.

What goes wrong with such conversions elsewhere, and what is done about it here:
  - Converted from a function, variables are frozen or refused: the way leads through a SavedModel,
    where those that are never assigned become constants and only the state stays
    (VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE; CALL_ONCE sets the first values).
  - The state stays in floats between DEQUANTIZE and QUANTIZE (tensorflow issue 59390, kws_streaming
    issue 1613): `_experimental_variable_quantization` makes the variables int8.
  - What the calibration left in the state becomes its first value: the model is made to forget.
"""

import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from kws._environment import require_keras_2
from kws.errors import KwsError
from kws.models import causal

if TYPE_CHECKING:
    import tensorflow as tf


def to_tflite(
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
