"""A streaming model of one word in the form that microWakeWord's programs run.

ESPHome's `micro_wake_word` and Home Assistant's satellites (`pymicro-wakeword`) take a small
manifest (version 2) and a file that

  - takes int8 `[1, frames of a step, 40]` of their own micro frontend, quantized by a scale of
    26 / 255 whatever the file says (esphome/esphome, components/micro_wake_word),
  - gives one uint8 probability `[1, 1]`,
  - keeps its state inside, in at most 20 variables,
  - uses no operator but the 20 that they register; softmax is none of them.

So the file holds the part of the same network that ends in the keyword's sigmoid, converted again
with the same calibration. They detect by the mean of the last few probabilities, one a step of the
model: the detector's rule "sliding_mean", and no other.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from kws.detection.det import OUTPUT_LEVELS
from kws.detection.params import DetectorParams
from kws.errors import KwsError
from kws.export import device_form, flatbuffer
from kws.export.device_form import DeviceForm
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.models.mixed_net import WORD
from kws.runtime import kernels, tflm
from kws.runtime.streaming_model import Int8StreamingModel

if TYPE_CHECKING:
    from kws.bundle.contents import BundleContents

FOLDER = "microwakeword"
MANIFEST_FILE = "manifest.json"
TFLITE_FILE = "model.tflite"
CONVERTED_FILE = "model_microwakeword.tflite"
"""Its name beside `model.tflite`, before there is a bundle."""

ESPHOME_OPERATORS = frozenset(
    {
        "ADD", "ASSIGN_VARIABLE", "AVERAGE_POOL_2D", "CALL_ONCE", "CONCATENATION", "CONV_2D",
        "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "LOGISTIC", "MAX_POOL_2D", "MEAN", "MUL", "PACK",
        "PAD", "QUANTIZE", "READ_VARIABLE", "RESHAPE", "SPLIT_V", "STRIDED_SLICE", "VAR_HANDLE",
    }
)  # fmt: skip
_MINIMUM_ESPHOME = "2024.7.0"
_ARENA_MARGIN = 0.1
_TOLERATED_STEPS = 4
"""Of 256, between this file's probabilities and the int8 model's: the same sums, rounded twice."""


def refusal(form: DeviceForm, feature_params: FeatureParams) -> str | None:
    """Why there is no such file of a model, or None: there is."""
    if form.kind != "streaming":
        return "it is windowed, and microWakeWord's programs run streaming models"
    if WORD not in [layer.name for layer in form.model.layers]:
        return "it does not end in one keyword's sigmoid: model.options.ending=sigmoid of mixed_net"
    if not has_their_frontend(feature_params):
        return "microWakeWord's programs have the micro frontend with its default parameters"
    return None


def has_their_frontend(feature_params: FeatureParams) -> bool:
    """Whether features are what microWakeWord's programs compute; any clip and hop will do."""
    return feature_params == FeatureParams(
        clip_duration_ms=feature_params.clip_duration_ms,
        context_ms=feature_params.context_ms,
        window_stride_ms=feature_params.window_stride_ms,
    )


def detector_refusal(detector: DetectorParams, step_ms: float) -> str | None:
    """Why microWakeWord's programs cannot detect as a detector does, or None: they can."""
    if detector.rule != "sliding_mean":
        return f"rule={detector.rule}, and microWakeWord's programs know sliding_mean alone"
    if detector.clip_stride_ms != step_ms:
        return (
            f"clip_stride_ms={detector.clip_stride_ms}, and microWakeWord's programs look at every "
            f"step of {step_ms:g} ms"
        )
    return None


def probability_cutoff(threshold: float) -> float:
    """The cutoff with which ESPHome fires where the rule sliding_mean does at a threshold.

    ESPHome makes int(255 cutoff) of it, and fires where the mean of the output's levels, 0 to 255
    (each 1/256), is more: the smallest cutoff is given that becomes the threshold's level. To
    pymicro-wakeword, which compares it with the mean as it is, this is at most one level more.
    """
    level = round(threshold * OUTPUT_LEVELS)
    return math.ceil(level / 255 * 1e5) / 1e5


def convert(form: DeviceForm, calibration: np.ndarray, feature_params: FeatureParams) -> bytes:
    """The bytes of the file.

    Args:
      form: of a model for which `refusal` is None.
      calibration: as of `DeviceForm.to_tflite`.
      feature_params: what it was made with.

    Raises:
      KwsError: the file needs an operator that ESPHome does not register.
    """
    import tensorflow as tf

    word = tf.keras.Model(form.model.input, form.model.get_layer(WORD).output)
    clips = model_input.to_model_input(calibration, feature_params)
    stream = clips.reshape(-1, clips.shape[-1])
    content = flatbuffer.slim(
        device_form.streaming_to_tflite(word, stream, tf.int8, output_type=tf.uint8)
    )
    strangers = sorted(set(flatbuffer.count_operators(content)) - ESPHOME_OPERATORS)
    if strangers:
        raise KwsError(f"the microWakeWord file needs {', '.join(strangers)}: ESPHome has it not")
    return content


def compare(content: bytes, model: Int8StreamingModel, features: np.ndarray) -> int:
    """The largest difference to the int8 model's probabilities of the keyword, in 256ths.

    Args:
      content: of the file.
      model: the int8 model of all labels.
      features: of clips `[n, frames, channels]`, which are heard as one stream.

    Raises:
      KwsError: they are not the same network.
    """
    steps = model.inferences(model.quantize(features)).reshape(-1, *model.input_shape[1:])
    expected = model.dequantize(model.run_steps(steps))[:, -1]
    interpreter = kernels.interpreter(content, reference=True)
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    Int8StreamingModel.start(interpreter)
    scale, zero_point = sink["quantization"]
    found = np.zeros(len(steps), np.float32)
    for index, step in enumerate(steps):
        interpreter.set_tensor(source["index"], step[None])
        interpreter.invoke()
        found[index] = (float(interpreter.get_tensor(sink["index"])[0, 0]) - zero_point) * scale
    same_input = np.isclose(source["quantization"][0], model.input_scale, rtol=1e-6)
    difference = int(np.rint(np.abs(found - expected).max() * 256))
    if difference > _TOLERATED_STEPS or not same_input:
        raise KwsError(
            f"the microWakeWord file and model.tflite differ by {difference} of 256 steps, "
            f"{_TOLERATED_STEPS} are allowed",
            hint="both must be converted from the same model with the same calibration",
        )
    return difference


def manifest(contents: "BundleContents", step_ms: float) -> dict[str, Any]:
    """`microwakeword/manifest.json` of a bundle whose contents hold such a file.

    The cutoff and the window are the detector's.

    Raises:
      KwsError: the detector is one that ESPHome cannot run.
    """
    content = contents.microwakeword
    assert content is not None
    refused = detector_refusal(contents.detector, step_ms)
    if refused is not None:
        raise KwsError(f"{FOLDER}/{MANIFEST_FILE}: the detector has {refused}")
    inputs = np.zeros((1, round(step_ms / contents.feature_params.window_stride_ms), 40), np.int8)
    arena = tflm.run(content, inputs).arena_bytes * (1 + _ARENA_MARGIN)
    return {
        "type": "micro",
        "wake_word": contents.keywords[0],
        "author": str(contents.info.get("author") or "KWS Pipeline"),
        "model": TFLITE_FILE,
        "trained_languages": list(contents.info.get("languages") or []),
        "version": 2,
        "micro": {
            "probability_cutoff": probability_cutoff(contents.detector.detection_threshold),
            "sliding_window_size": contents.detector.rows_averaged,
            "feature_step_size": contents.feature_params.window_stride_ms,
            "tensor_arena_size": int(-(-arena // 16)) * 16,
            "minimum_esphome_version": _MINIMUM_ESPHOME,
        },
    }
