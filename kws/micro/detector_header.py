"""`detector.h` and `arena.h`: from the model's outputs to detections, and the memory it all takes.

The constants are those with which false accepts and misses were measured, and `KwsDetector` is the
rule in C++, one file a rule in `data/`: it fires where `kws.streaming.detector.Detector` does. A
spotter with named sensitivities has a threshold for each; `KWS_SENSITIVITY` says which one is used.
"""

from collections.abc import Sequence
from pathlib import Path

from kws.features.params import FeatureParams
from kws.labels import RESERVED
from kws.streaming.params import DetectorParams
from kws.streaming.sensitivities import Sensitivities, Sensitivity

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


def detector(
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


def arena(title: str, head: int, tail: int, recommended: int, margin: float) -> str:
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
