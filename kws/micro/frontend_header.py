"""`frontend.h`: every parameter of the frontend and of the model's input as C constants.

What the device computes from a frame of audio up to the bytes of the input tensor follows from
these numbers alone, and they are those of `frontend.json`: nothing is copied by hand.
"""

from typing import Any

from kws.features import model_input
from kws.features.params import FeatureParams

_MICRO_ONLY = (
    "smoothing_bits", "even_smoothing", "odd_smoothing", "min_signal_remaining", "enable_pcan",
    "pcan_strength", "pcan_offset", "gain_bits", "enable_log", "scale_shift",
)  # fmt: skip
_BANDS = ("lower_band_limit_hz", "upper_band_limit_hz")

_HEADER = """\
// {title}
// The {frontend} frontend, from frontend.json. Include it from C or C++.
#ifndef KWS_FRONTEND_H_
#define KWS_FRONTEND_H_

{defines}

#endif  // KWS_FRONTEND_H_
"""


def header(
    params: FeatureParams, title: str, input_scale: float, input_zero_point: int, step_frames: int
) -> str:
    """The text of `frontend.h`.

    Args:
      params: of the frontend.
      title: one line of a comment.
      input_scale, input_zero_point: of the int8 model's input tensor.
      step_frames: frames that the model takes with each call: all of a clip's if it is windowed.
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
    }
    if params.frontend != "spectrogram":
        constants |= {name: getattr(params, name) for name in _BANDS}
    if params.frontend == "micro":
        constants |= {name: getattr(params, name) for name in _MICRO_ONLY}
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
