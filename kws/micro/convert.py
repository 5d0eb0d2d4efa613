"""Full int8 quantization of a Keras model, and the proof that nothing was lost on the way."""

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kws._environment import require_keras_2
from kws.errors import KwsError
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.micro import operators
from kws.micro.params import ConversionParams
from kws.micro.representative import with_full_range
from kws.micro.tflite_model import Int8Model, device_interpreter
from kws.params import Params

if TYPE_CHECKING:
    import tensorflow as tf

CONVERSION_FILE = "conversion.json"
_BATCH = 256


class ConversionFigures(Params):
    """`conversion.json`.

    Attributes:
      float_accuracy, int8_accuracy: share of right answers on the same `eval_examples`.
      accuracy_drop: what int8 lost; negative where it won.
      same_answers: share of examples on which both give the same label.
      twin_examples: how many the float-I/O twin was compared on.
      twin_difference_steps: largest difference of the twins in output steps, same int8 input: 0.
      twin_rounding_share: share of input values that the twin's own QUANTIZE rounds otherwise than
        `model_input.quantize` (ties only).
      model_bytes: of `model.tflite`.
      representative_counts: calibration examples of each label.
    """

    float_accuracy: float
    int8_accuracy: float
    accuracy_drop: float
    same_answers: float
    eval_examples: int
    twin_examples: int
    twin_difference_steps: int
    twin_rounding_share: float
    model_bytes: int
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    operators: dict[str, int]
    representative_counts: dict[str, int]
    tensorflow_version: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conversion:
    """The two files and their figures.

    Attributes:
      model: int8 input and output, batch 1.
      float_io: the same network between QUANTIZE and DEQUANTIZE.
    """

    model: bytes
    float_io: bytes
    figures: ConversionFigures


@dataclasses.dataclass(frozen=True, kw_only=True)
class Labelled:
    """Features `[n, frames, channels]` in the frontend's type and label indices `[n]`."""

    features: np.ndarray
    label_index: np.ndarray


def convert(
    model: "tf.keras.Model",
    representative: Labelled,
    judged: Labelled,
    labels: Sequence[str],
    feature_params: FeatureParams,
    params: ConversionParams,
) -> Conversion:
    """Quantizes a model and checks the result.

    Args:
      model: float32 `[batch, frames, channels]` to softmax `[batch, labels]`.
      representative: of the training split (see `representative.choose`).
      judged: the eval split.
      labels: in the order of the outputs.
      feature_params: what the features were made with.
      params: see there.

    Raises:
      KwsError: no examples, the twins are not the same network, or int8 loses too much accuracy.
    """
    import tensorflow as tf

    require_keras_2()

    for what, data in (("training", representative), ("eval", judged)):
        if not len(data.features):
            raise KwsError(f"the {what} split holds no example", hint="conversion needs both")
    calibration = with_full_range(representative.features, feature_params)
    content = to_tflite(model, calibration, feature_params, tf.int8)
    float_io = to_tflite(model, calibration, feature_params, tf.float32)
    int8 = Int8Model(content, labels, feature_params)

    sample = judged.features[:_BATCH]
    difference, rounding = compare_twins(int8, float_io, sample)
    if difference:
        raise KwsError(
            f"model.tflite and its float-I/O twin differ by {difference} output steps on "
            f"{len(sample)} eval examples",
            hint="the converter must be given the same model and calibration for both",
        )

    batches = list(_model_inputs(judged.features, feature_params))
    in_float = np.concatenate([model(batch, training=False).numpy() for batch in batches])
    float_answers = in_float.argmax(axis=1)
    int8_answers = int8.posteriors(judged.features).argmax(axis=1)
    float_accuracy = float(np.mean(float_answers == judged.label_index))
    int8_accuracy = float(np.mean(int8_answers == judged.label_index))
    # The tolerance is for binary fractions: a drop of exactly the limit is allowed.
    drop = float_accuracy - int8_accuracy
    if drop > params.max_accuracy_drop + 1e-9:
        raise KwsError(
            f"int8 accuracy {int8_accuracy:.2%} is {drop:.2%} below float accuracy "
            f"{float_accuracy:.2%} on {len(judged.features)} eval examples, "
            f"max_accuracy_drop={params.max_accuracy_drop} allows {params.max_accuracy_drop:.2%}",
            hint="more representative_examples, or a model whose activations have narrower ranges",
        )
    counts = collections.Counter(labels[index] for index in representative.label_index.tolist())
    figures = ConversionFigures(
        float_accuracy=float_accuracy,
        int8_accuracy=int8_accuracy,
        accuracy_drop=drop,
        same_answers=float(np.mean(float_answers == int8_answers)),
        eval_examples=len(judged.features),
        twin_examples=len(sample),
        twin_difference_steps=difference,
        twin_rounding_share=rounding,
        model_bytes=len(content),
        input_scale=int8.input_scale,
        input_zero_point=int8.input_zero_point,
        output_scale=int8.output_scale,
        output_zero_point=int8.output_zero_point,
        operators=operators.count(content),
        representative_counts={label: counts[label] for label in labels},
        tensorflow_version=tf.__version__,
    )
    return Conversion(model=content, float_io=float_io, figures=figures)


def to_tflite(
    model: "tf.keras.Model",
    calibration: np.ndarray,
    feature_params: FeatureParams,
    io_type: Any,
) -> bytes:
    """The bytes of a `.tflite` file, batch 1; the same input gives the same bytes.

    A fixed batch keeps the operators that compute shapes (SHAPE, STRIDED_SLICE, PACK) out of the
    device's file.
    """
    import tensorflow as tf

    signature = tf.TensorSpec([1, *feature_params.feature_shape], tf.float32, name="features")
    function = tf.function(lambda features: model(features, training=False))
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(signature)], model
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [values[None]] for batch in _model_inputs(calibration, feature_params) for values in batch
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = io_type
    converter.inference_output_type = io_type
    return converter.convert()


def compare_twins(model: Int8Model, float_io: bytes, features: np.ndarray) -> tuple[int, float]:
    """The largest difference in output steps on the same int8 input, and the share of input values
    that the twin's QUANTIZE rounds otherwise than we do.

    TFLite's QUANTIZE multiplies by the scale's float32 reciprocal and rounds half to even; the
    int8 model is fed exactly that here, so that the comparison is of the networks.
    """
    twin = device_interpreter(float_io)
    (source,), (sink,) = twin.get_input_details(), twin.get_output_details()
    largest, rounded_otherwise = 0, 0
    for batch in _model_inputs(features, model.feature_params):
        inputs = quantize_as_tflite(batch, model.input_scale, model.input_zero_point)
        outputs = model.dequantize(model.run(inputs))
        for values, expected in zip(batch, outputs, strict=True):
            twin.set_tensor(source["index"], values[None])
            twin.invoke()
            steps = np.abs(twin.get_tensor(sink["index"])[0] - expected) / model.output_scale
            largest = max(largest, int(np.rint(steps.max())))
        rounded_otherwise += int(np.count_nonzero(inputs != _ours(model, batch)))
    return largest, rounded_otherwise / features.size


def quantize_as_tflite(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """int8 as the QUANTIZE kernel of TensorFlow 2.16 on x86 gives it, bit for bit."""
    steps = np.rint(values.astype(np.float32) * (np.float32(1) / np.float32(scale)))
    return np.clip(steps + zero_point, -128, 127).astype(np.int8)


def _ours(model: Int8Model, values: np.ndarray) -> np.ndarray:
    return model_input.quantize(values, model.input_scale, model.input_zero_point)


def _model_inputs(features: np.ndarray, params: FeatureParams) -> Iterator[np.ndarray]:
    """float32 batches `[n, frames, channels]`."""
    for start in range(0, len(features), _BATCH):
        yield model_input.to_model_input(features[start : start + _BATCH], params)
