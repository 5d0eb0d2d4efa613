"""From a frontend's numbers to a model's: float32 for Keras, int8 for the device."""

import numpy as np

from kws import features as frontends
from kws.features.params import FeatureParams

_BELOW_HALF = np.nextafter(np.float32(0.5), np.float32(0))


def input_scale(params: FeatureParams) -> float:
    """What a feature is multiplied by: 10/256 for micro (pymicro-features), 1/8 for mfcc, or 1."""
    return frontends.frontend_class(params.frontend).model_input_scale


def input_scale_description(params: FeatureParams) -> str:
    """For a manifest or a model card: `model input = uint16 micro feature * 0.0390625`."""
    dtype = frontends.frontend_class(params.frontend).dtype
    return f"model input = {dtype} {params.frontend} feature * {input_scale(params)!r}"


def to_model_input(features: np.ndarray, params: FeatureParams) -> np.ndarray:
    """What a float model is fed: float32 of the features' shape.

    Exact for micro: a uint16 times 10/256 needs no more than the 24 bits of a float32.
    """
    return features.astype(np.float32) * np.float32(input_scale(params))


def quantize(model_input: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """int8 `saturate(round(x / scale) + zero_point)`, of the input's shape.

    Division in float32, halves away from zero: bit for bit TFLite's reference kernel QUANTIZE,
    which TensorFlow Lite Micro has. TFLite's optimized kernel on a PC multiplies by 1 / scale and
    rounds halves to even: on a tie it may be one step away.
    """
    steps = np.asarray(model_input, np.float32) / np.float32(scale)
    # With the largest number below a half: 0.49999997 and a half would come to 1.
    steps += np.copysign(_BELOW_HALF, steps)
    np.trunc(steps, out=steps)
    steps += np.float32(zero_point)
    return np.clip(steps, -128, 127, out=steps).astype(np.int8)


def dequantize(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """float32 `scale * (values - zero_point)`."""
    return np.float32(scale) * (values.astype(np.int32) - zero_point).astype(np.float32)
