"""Generates the C and C++ files of a bundle: model, detector, frontend, arena, operators.

- `model.h`, `model.cc`: the model as source that both C11 and C++11 compilers accept.
- `detector.h`: `KwsDetector` is the detection rule in C++, one file for each rule in `data/`. It
  fires where `kws.detection.detector.Detector` does, with the constants that were measured. Where
  the spotter has named sensitivities, `KWS_SENSITIVITY` selects the threshold.
- `arena.h`: how much memory to allocate.
- `frontend_params.h`: every parameter of the frontend and of the model's input. What the device
  computes from audio to the input tensor follows from these numbers alone, and they are those of
  `frontend.json`.
- `ops_resolver.h`: exactly the operators that the model uses. A resolver that lacks one fails at
  the first start; one with all of them costs a hundred kilobytes of flash.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kws.bundle.contents import BundleContents
from kws.detection.params import DetectorParams
from kws.detection.sensitivities import Sensitivities, Sensitivity
from kws.errors import KwsError
from kws.export import flatbuffer
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.labels import RESERVED
from kws.runtime.int8_file import Int8File
from kws.runtime.streaming_model import Int8StreamingModel

_DETECTOR = """\
// {title}
// The detector and its settings; the threshold was chosen on the eval streams.
#ifndef KWS_DETECTOR_H_
#define KWS_DETECTOR_H_

#include <cstdint>

// The model runs every so many frames, and so often:
#define KWS_RUN_EVERY_FRAMES {run_every_frames}
#define KWS_CLIP_STRIDE_MS {clip_stride_ms}
// What the rule below asks; some of these have no part in it.
#define KWS_AVERAGE_ROWS {average_rows}
#define KWS_MINIMUM_COUNT {minimum_count}
{threshold}
#define KWS_SUPPRESSION_MS {suppression_ms}
#define KWS_REARM {rearm}
#define KWS_STEPS_BETWEEN {steps_between}

// The outputs: those before the first keyword never fire.
#define KWS_LABEL_COUNT {label_count}
#define KWS_FIRST_KEYWORD {first_keyword}
static const char* const kKwsLabels[KWS_LABEL_COUNT] = {{{labels}}};

{rule}
#endif  // KWS_DETECTOR_H_
"""

_DATA = Path(__file__).parent / "data"

_ARENA = """\
// {title}
// Measured by TensorFlow Lite Micro's recording allocator: {head} bytes of activations and scratch
// buffers and {tail} bytes kept, with 64-bit pointers; and a margin of {margin:.0%}.
#ifndef KWS_ARENA_H_
#define KWS_ARENA_H_

#define KWS_ARENA_BYTES {recommended}

#endif  // KWS_ARENA_H_
"""


def detector_header(
    detector_params: DetectorParams,
    labels: Sequence[str],
    features: FeatureParams,
    title: str,
    sensitivities: Sensitivities | None = None,
) -> str:
    """The text of `detector.h`.

    Args:
      detector_params: with the threshold that was chosen.
      labels: of the outputs; the reserved ones come first.
      features: of the model.
      title: one line of a comment.
      sensitivities: that can be chosen from when the header is compiled.
    """
    params = detector_params
    return _DETECTOR.format(
        title=" ".join(title.split()).rstrip("\\"),
        run_every_frames=round(params.clip_stride_ms / features.window_stride_ms),
        clip_stride_ms=params.clip_stride_ms,
        average_rows=params.rows_averaged,
        minimum_count=params.minimum_count,
        threshold=_thresholds(params, sensitivities),
        suppression_ms=params.suppression_ms,
        rearm=int(params.rearm),
        steps_between=params.steps_between,
        label_count=len(labels),
        first_keyword=sum(label in RESERVED for label in labels),
        labels=", ".join(_c_string(label) for label in labels),
        rule=(_DATA / f"detector_{params.rule}.h").read_text(),
    )


def _thresholds(params: DetectorParams, sensitivities: Sensitivities | None) -> str:
    """The macro KWS_DETECTION_THRESHOLD; with sensitivities, that of the one chosen."""
    if sensitivities is None:
        return f"#define KWS_DETECTION_THRESHOLD {params.detection_threshold!r}"
    macros = {one.name: f"KWS_SENSITIVITY_{one.name.upper()}" for one in sensitivities.points}
    lines = ["// Sensitivities: define KWS_SENSITIVITY as one of them to choose another."]
    # From 1: a name that is not defined counts as 0 to the preprocessor.
    for number, one in enumerate(sensitivities.points, start=1):
        target = f"// for {one.target_false_accepts_per_hour:g} false accepts an hour"
        lines.append(f"#define {macros[one.name]} {number}  {target}")
        lines.append(f"#define {_threshold_macro(one)} {one.detection_threshold!r}")
    lines += [
        "#ifndef KWS_SENSITIVITY",
        f"#define KWS_SENSITIVITY {macros[sensitivities.default]}",
        "#endif",
    ]
    for number, one in enumerate(sensitivities.points):
        test = "elif" if number else "if"
        lines.append(f"#{test} KWS_SENSITIVITY == {macros[one.name]}")
        lines.append(f"#define KWS_DETECTION_THRESHOLD {_threshold_macro(one)}")
    lines += ["#else", f'#error "KWS_SENSITIVITY is one of {", ".join(macros.values())}"', "#endif"]
    return "\n".join(lines)


def _threshold_macro(sensitivity: Sensitivity) -> str:
    return f"KWS_DETECTION_THRESHOLD_{sensitivity.name.upper()}"


def arena_header(title: str, head: int, tail: int, recommended: int, margin: float) -> str:
    """The text of `arena.h`; sizes in bytes."""
    return _ARENA.format(
        title=" ".join(title.split()).rstrip("\\"),
        head=head,
        tail=tail,
        recommended=recommended,
        margin=margin,
    )


def _c_string(text: str) -> str:
    """A C string literal in UTF-8; what is not plain ASCII is written as octal bytes."""
    plain = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode()
    )
    return f'"{plain}"'


_BANDS = ("lower_band_limit_hz", "upper_band_limit_hz")
_OF_FRONTEND: dict[str, tuple[str, ...]] = {
    "micro": (
        *_BANDS, "smoothing_bits", "even_smoothing", "odd_smoothing", "min_signal_remaining",
        "enable_pcan", "pcan_strength", "pcan_offset", "gain_bits", "enable_log", "scale_shift",
    ),
    "log_mel": _BANDS,
    "mfcc": (*_BANDS, "dct_coefficient_count", "cepstral_lifter"),
    "spectrogram": ("density_rate_hz", "decibel_floor"),
    "speech_mel": (*_BANDS, "decibel_floor"),
}  # fmt: skip
"""Beside what all have; what is None has no constant."""

_HEADER = """\
// {title}
// The {frontend} frontend, from frontend.json. Include it from C or C++.
#ifndef KWS_FRONTEND_PARAMS_H_
#define KWS_FRONTEND_PARAMS_H_

{defines}

#endif  // KWS_FRONTEND_PARAMS_H_
"""


def frontend_header(
    params: FeatureParams,
    title: str,
    input_scale: float,
    input_zero_point: int,
    step_frames: int,
    model_variables: int = 0,
    warm_up_steps: int = 0,
) -> str:
    """The text of `frontend_params.h`.

    Args:
      params: of the frontend.
      title: one line of a comment.
      input_scale: of the int8 model's input tensor.
      input_zero_point: of the int8 model's input tensor.
      step_frames: frames that the model takes with each call: all of a clip's if it is windowed.
      model_variables: in which a streaming model keeps its state.
      warm_up_steps: its first outputs, which are not heeded.
    """
    frames, channels = params.feature_shape
    constants: dict[str, Any] = {
        "sample_rate": params.sample_rate,
        "window_samples": params.window_samples,
        "stride_samples": params.stride_samples,
        "window_size_ms": params.window_size_ms,
        "window_stride_ms": params.window_stride_ms,
        "feature_bin_count": params.feature_bin_count,
        "clip_frames": frames,
        "clip_channels": channels,
        "step_frames": step_frames,
        "model_variables": model_variables,
        "warm_up_steps": warm_up_steps,
    }
    own = {name: getattr(params, name) for name in _OF_FRONTEND[params.frontend]}
    constants |= {name: value for name, value in own.items() if value is not None}
    constants |= {
        # int8 = saturate(round(feature * feature_scale / input_scale) + input_zero_point)
        "feature_scale": model_input.input_scale(params),
        "input_scale": input_scale,
        "input_zero_point": input_zero_point,
    }
    width = max(len(name) for name in constants)
    defines = "\n".join(
        f"#define KWS_{name.upper():{width}} {_literal(value)}" for name, value in constants.items()
    )
    return _HEADER.format(
        title=" ".join(title.split()).rstrip("\\"), frontend=params.frontend, defines=defines
    )


def _literal(value: Any) -> str:
    """A C literal; floats in the shortest form that reads back as the same float32."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return str(value)
    text = f"{value:.9g}"
    return f"{text}f" if any(mark in text for mark in ".e") else f"{text}.0f"


_SPELLED_OTHERWISE = {"BATCH_MATMUL": "BatchMatMul", "LSTM": "UnidirectionalSequenceLSTM"}
"""Builtin operators whose `Add...` method does not follow from the name in the schema."""

_OPS_RESOLVER_HEADER = """\
// {title}
// Registers the {count} operators of model.tflite with TensorFlow Lite Micro.
#ifndef KWS_OPS_RESOLVER_H_
#define KWS_OPS_RESOLVER_H_

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

constexpr unsigned int kKwsOperatorCount = {count};
using KwsOpResolver = tflite::MicroMutableOpResolver<kKwsOperatorCount>;

// Returns kTfLiteOk, or the first error: then TensorFlow Lite Micro is older than the model.
inline TfLiteStatus AddKwsOperators(KwsOpResolver& resolver) {{
{calls}
  return kTfLiteOk;
}}

#endif  // KWS_OPS_RESOLVER_H_
"""


def ops_resolver_header(operators: Iterable[str], title: str) -> str:
    """The text of `ops_resolver.h`.

    Args:
      operators: names in the TFLite schema, as `kws.export.flatbuffer.count` gives them.
      title: one line of a comment.

    Raises:
      KwsError: a custom operator, which TensorFlow Lite Micro's builtin resolver cannot know.
    """
    names = sorted(operators)
    calls = [
        f"  if (resolver.{method(name)}() != kTfLiteOk) return kTfLiteError;" for name in names
    ]
    return _OPS_RESOLVER_HEADER.format(
        title=" ".join(title.split()), count=len(names), calls="\n".join(calls)
    )


def method(operator: str) -> str:
    """The resolver's method of a builtin operator: `DEPTHWISE_CONV_2D` is `AddDepthwiseConv2D`."""
    if not re.fullmatch("[A-Z0-9_]+", operator) or operator.startswith("BUILTIN_"):
        raise KwsError(
            f"operator {operator} is none of TensorFlow Lite Micro's builtin ones",
            hint="leave it out of budget.operators, so that such a model is refused",
        )
    words = re.split("_", operator)
    camel = "".join(word[0] + word[1:].lower() if word[0].isalpha() else word for word in words)
    return "Add" + _SPELLED_OTHERWISE.get(operator, camel)


SKETCH_FILE = "main.cc"
_SKETCH = Path(__file__).parent / "data" / SKETCH_FILE


def files(contents: BundleContents, model: Int8File, title: str) -> dict[str, str]:
    """Texts of the headers, and of the main loop where the device has the frontend.

    Args:
      contents: of the bundle.
      model: loaded from `contents.model`.
      title: one line of a comment.
    """
    micro, features = contents.micro, contents.feature_params
    made = {
        "ops_resolver.h": ops_resolver_header(micro.operators, title),
        "frontend_params.h": frontend_header(
            features,
            title,
            model.input_scale,
            model.input_zero_point,
            model.frames_per_inference,
            flatbuffer.variables(contents.model),
            model.warm_up_steps if isinstance(model, Int8StreamingModel) else 0,
        ),
        "detector.h": detector_header(
            contents.detector, contents.labels, features, title, contents.sensitivities
        ),
        "arena.h": arena_header(
            title,
            micro.arena_head_bytes,
            micro.arena_tail_bytes,
            micro.arena_recommended_bytes,
            micro.arena_margin,
        ),
    }
    if features.frontend == "micro":
        made[SKETCH_FILE] = _SKETCH.read_text()
    return made


MODEL_SYMBOL = "g_kws_model"
_BYTES_A_LINE = 16

_C_ARRAY_HEADER = """\
// {title}
// {length} bytes of a TensorFlow Lite model; see manifest.json for its arena and quantization.
#ifndef KWS_MODEL_H_
#define KWS_MODEL_H_

#ifdef __cplusplus
extern "C" {{
#endif

// Aligned to 16 bytes, as TensorFlow Lite Micro's tflite::GetModel() needs.
extern const unsigned char {symbol}[];
extern const unsigned int {symbol}_length;

#ifdef __cplusplus
}}
#endif

#endif  // KWS_MODEL_H_
"""

_SOURCE = """\
// {title}
#include "model.h"

#ifndef __cplusplus
#include <stdalign.h>
#endif

alignas(16) const unsigned char {symbol}[] = {{
{rows}
}};
const unsigned int {symbol}_length = {length}u;
"""


def model_header(content: bytes, title: str) -> str:
    """The text of `model.h`; the title is one line of a comment."""
    return _C_ARRAY_HEADER.format(title=_one_line(title), length=len(content), symbol=MODEL_SYMBOL)


def model_source(content: bytes, title: str) -> str:
    """The text of `model.cc`, which is valid C too."""
    rows = "\n".join(
        "    " + " ".join(f"0x{byte:02x}," for byte in content[start : start + _BYTES_A_LINE])
        for start in range(0, len(content), _BYTES_A_LINE)
    )
    return _SOURCE.format(
        title=_one_line(title), rows=rows, length=len(content), symbol=MODEL_SYMBOL
    )


def _one_line(text: str) -> str:
    # A backslash at the end would carry the comment on into the next line.
    return " ".join(text.split()).rstrip("\\")
