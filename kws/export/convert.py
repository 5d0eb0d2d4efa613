"""Full int8 quantization of a Keras model, with proof that nothing was lost.

Calibration uses training examples chosen evenly from all labels, always the same ones whatever
their order. The two resulting files, with int8 and with float input and output, are checked to be
the same network.
"""

import collections
import dataclasses
import hashlib
import heapq
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kws._environment import require_keras_2
from kws.errors import KwsError
from kws.export import flatbuffer as operators
from kws.export import microwakeword
from kws.export.device_form import DeviceForm, model_inputs
from kws.export.params import ConversionParams
from kws.features import model_input
from kws.features.example import FeatureExample
from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.params import Params
from kws.runtime import load
from kws.runtime.int8_file import Int8File, Kind
from kws.runtime.load import CONVERSION_FILE
from kws.runtime.streaming_model import Int8StreamingModel

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = [
    "CONVERSION_FILE",
    "Conversion",
    "ConversionFigures",
    "Labelled",
    "Quantized",
    "convert",
    "quantize",
]


def compare_twins(model: Int8File, float_io: bytes, features: np.ndarray) -> tuple[int, float]:
    """The largest difference in output steps on the same int8 input, and the share of input values
    that the twin's QUANTIZE rounds otherwise on a phone than `model_input.quantize` does.

    TFLite's optimized QUANTIZE multiplies by the scale's float32 reciprocal and rounds half to
    even, its reference kernel rounds as we do. The int8 model is fed what the twin's QUANTIZE gives
    with the kernels of the model's own kind, so that the comparison is of the networks.

    Args:
      model: the int8 file.
      float_io: the other file.
      features: of clips, `[n, frames, channels]`.
    """
    twin = _Twin(model, float_io)
    largest, rounded_otherwise = 0, 0
    for batch in model_inputs(features, model.feature_params):
        exact = model_input.quantize(batch, model.input_scale, model.input_zero_point)
        on_phone = quantize_as_tflite(batch, model.input_scale, model.input_zero_point)
        inputs = exact if model.reference_kernels else on_phone
        outputs = model.run_inferences(model.inferences(inputs))
        for values, expected in zip(model.inferences(batch), outputs, strict=True):
            difference = np.abs(twin.run(values) - model.dequantize(expected))
            largest = max(largest, int(np.rint(difference.max() / model.output_scale)))
        rounded_otherwise += int(np.count_nonzero(exact != on_phone))
    return largest, rounded_otherwise / features.size


def quantize_as_tflite(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """int8 as the optimized QUANTIZE of TensorFlow 2.16 on x86 gives it, bit for bit."""
    steps = np.rint(values.astype(np.float32) * (np.float32(1) / np.float32(scale)))
    return np.clip(steps + zero_point, -128, 127).astype(np.int8)


class _Twin:
    """The float-I/O file, one clip after another."""

    def __init__(self, model: Int8File, content: bytes):
        self._interpreter = model.interpreter_of(content)
        (source,) = self._interpreter.get_input_details()
        (sink,) = self._interpreter.get_output_details()
        self._source, self._sink = source["index"], sink["index"]
        self._start = model.start

    def run(self, inferences: np.ndarray) -> np.ndarray:
        """float32 `[inferences, labels]` of `[inferences, frames, channels]`, from the start."""
        self._start(self._interpreter)
        outputs = []
        for values in inferences:
            self._interpreter.set_tensor(self._source, values[None])
            self._interpreter.invoke()
            outputs.append(self._interpreter.get_tensor(self._sink).reshape(-1))
        return np.stack(outputs)


MICRO_FULL_SCALE = 666
"""26 x 25.6, which micro_speech and microWakeWord take for the greatest value of the micro frontend
with PCAN and log (at scale_shift 6): their programs quantize by it, whatever the file says. Up to
670 was seen; what is above saturates."""


def choose_representative(
    examples: Iterable[FeatureExample], count: int, seed: int
) -> list[FeatureExample]:
    """At most `count` examples, as evenly from all labels as there are, in a fixed order.

    Within a label those with the smallest hash of seed and clip are taken. The examples are passed
    once; at most `count` of each label are held.
    """
    heaps: dict[int, list[tuple[int, int, FeatureExample]]] = {}
    for example in examples:
        heap = heaps.setdefault(example.label_index, [])
        # The content tells copies of one clip apart.
        content = np.ascontiguousarray(example.features).tobytes()
        digest = hashlib.sha256(f"{seed}:{example.clip_id}:{example.augmentation}:".encode())
        digest.update(content)
        item = (-int.from_bytes(digest.digest()[:8], "big"), id(example), example)
        if len(heap) < count:
            heapq.heappush(heap, item)
        elif item[0] > heap[0][0]:
            heapq.heapreplace(heap, item)
    by_label = [[item[2] for item in sorted(heaps[label], reverse=True)] for label in sorted(heaps)]
    longest = max(map(len, by_label), default=0)
    in_turn = [rows[turn] for turn in range(longest) for rows in by_label if turn < len(rows)]
    return in_turn[:count]


def with_full_range(features: np.ndarray, params: FeatureParams) -> np.ndarray:
    """Features `[n, frames, channels]` that also hold the ends of the micro frontend's range.

    Two values of the first window are replaced, so that the input's scale covers whatever a device
    may hear while the ranges inside the network stay those of speech. Features of other frontends
    have no fixed range and are returned as they are.
    """
    if params.frontend != "micro" or not (params.enable_log and params.enable_pcan):
        return features
    if params.scale_shift != 6:
        return features
    covered = features.copy()
    covered[0, 0, 0] = 0
    covered[0, 0, 1] = max(MICRO_FULL_SCALE, int(features.max()))
    return covered


_TWIN_EXAMPLES = 256


class ConversionFigures(Params):
    """`conversion.json`.

    Attributes:
      kind: "windowed", or "streaming": the file takes `frames_per_step` frames and keeps its state.
      float_accuracy: share of right answers on `eval_examples`; of a streaming model in the form
        that was trained.
      int8_accuracy: the same of the int8 file; through a streaming model each clip goes step by
        step, from the start of a stream.
      accuracy_drop: what int8 lost; negative where it won.
      float_f1: of the steps, where a model answers at every step (the examples are steps).
      int8_f1: the same of the int8 file.
      same_answers: share of examples on which both give the same label.
      twin_examples: how many the float-I/O twin was compared on.
      twin_difference_steps: largest difference of the twins in output steps, same int8 input: 0.
      twin_rounding_share: share of input values that the twin's own QUANTIZE rounds otherwise than
        `model_input.quantize` (ties only).
      microwakeword_steps: largest difference of the file for microWakeWord's programs to the int8
        model's keyword, in 256ths; None where there is no such file.
      model_bytes: of `model.tflite`.
      representative_counts: calibration examples of each label.
    """

    kind: Kind = "windowed"
    frames_per_step: int | None = None
    float_accuracy: float
    int8_accuracy: float
    accuracy_drop: float
    float_f1: float | None = None
    int8_f1: float | None = None
    same_answers: float
    eval_examples: int
    twin_examples: int
    twin_difference_steps: int
    twin_rounding_share: float
    microwakeword_steps: int | None = None
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
      microwakeword: see `kws.export.microwakeword`; None where it is no such model.
      kind: of all.
    """

    model: bytes
    float_io: bytes
    microwakeword: bytes | None = None
    figures: ConversionFigures

    @property
    def kind(self) -> Kind:
        return self.figures.kind


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantized:
    """The two files of a model, found to be the same network.

    Attributes:
      int8: `model`, loaded.
      twin_rounding_share: see `ConversionFigures`.
    """

    form: DeviceForm
    model: bytes
    float_io: bytes
    int8: load.Int8Any
    twin_rounding_share: float
    microwakeword: bytes | None = None
    microwakeword_steps: int | None = None


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
    model_params: ModelParams | None = None,
) -> Conversion:
    """Quantizes a model and checks the result.

    Args:
      model: float32 `[batch, frames, channels]` to softmax `[batch, labels]`.
      representative: of the training split (see `representative.choose`).
      judged: the eval split.
      labels: in the order of the outputs.
      feature_params: what the features were made with.
      params: see there.
      model_params: what the model was built by: a streaming one is converted in its one-step form.

    Raises:
      KwsError: no examples, the twins are not the same network, or int8 loses too much accuracy.
    """
    import tensorflow as tf

    for what, data in (("training", representative), ("eval", judged)):
        if not len(data.features):
            raise KwsError(f"the {what} split holds no example", hint="conversion needs both")
    sample = judged.features[:_TWIN_EXAMPLES]
    files = quantize(model, representative.features, sample, labels, feature_params, model_params)
    int8 = files.int8

    batches = list(model_inputs(judged.features, feature_params))
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
        kind=int8.kind,
        frames_per_step=files.form.frames_per_step,
        float_accuracy=float_accuracy,
        int8_accuracy=int8_accuracy,
        accuracy_drop=drop,
        same_answers=float(np.mean(float_answers == int8_answers)),
        eval_examples=len(judged.features),
        twin_examples=len(sample),
        twin_difference_steps=0,
        twin_rounding_share=files.twin_rounding_share,
        microwakeword_steps=files.microwakeword_steps,
        model_bytes=len(files.model),
        input_scale=int8.input_scale,
        input_zero_point=int8.input_zero_point,
        output_scale=int8.output_scale,
        output_zero_point=int8.output_zero_point,
        operators=operators.count_operators(files.model),
        representative_counts={label: counts[label] for label in labels},
        tensorflow_version=tf.__version__,
    )
    return Conversion(
        model=files.model,
        float_io=files.float_io,
        microwakeword=files.microwakeword,
        figures=figures,
    )


def quantize(
    model: "tf.keras.Model",
    representative: np.ndarray,
    sample: np.ndarray,
    labels: Sequence[str],
    feature_params: FeatureParams,
    model_params: ModelParams | None = None,
) -> Quantized:
    """Makes the two files and compares them.

    Args:
      model: see `convert`.
      labels: see `convert`.
      feature_params: see `convert`.
      model_params: see `convert`.
      representative: features `[n, frames, channels]` of the training split.
      sample: features that the twins are compared on.

    Raises:
      KwsError: the twins are not the same network.
    """
    import tensorflow as tf

    require_keras_2()
    form = DeviceForm.of(model, model_params, feature_params, len(labels))
    calibration = with_full_range(representative, feature_params)
    content = form.to_tflite(calibration, feature_params, tf.int8)
    float_io = form.to_tflite(calibration, feature_params, tf.float32)
    int8 = load.of_content(content, labels, feature_params, form.kind)
    difference, rounding = compare_twins(int8, float_io, sample)
    if difference:
        raise KwsError(
            f"model.tflite and its float-I/O twin differ by {difference} output steps on "
            f"{len(sample)} eval examples",
            hint="the converter must be given the same model and calibration for both",
        )
    one_word, steps = None, None
    if isinstance(int8, Int8StreamingModel) and not microwakeword.refusal(form, feature_params):
        one_word = microwakeword.convert(form, calibration, feature_params)
        steps = microwakeword.compare(one_word, int8, sample)
    return Quantized(
        form=form,
        model=content,
        float_io=float_io,
        int8=int8,
        twin_rounding_share=rounding,
        microwakeword=one_word,
        microwakeword_steps=steps,
    )
