"""`frontend_params.h`: every parameter of the frontend and of the model's input as C constants.

What the device computes from a frame of audio up to the bytes of the input tensor follows from
these numbers alone, and they are those of `frontend.json`: nothing is copied by hand.
"""

from typing import Any

from kws.features import model_input
from kws.features.params import FeatureParams

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


def header(
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
      input_scale, input_zero_point: of the int8 model's input tensor.
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
