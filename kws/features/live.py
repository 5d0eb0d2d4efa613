"""Features of a live stream: the same numbers that `Frontend.compute` gives for the whole stream.

`compute` starts from scratch with each call; a device does not. Here the samples of an incomplete
window and the micro frontend's noise estimate are kept between calls, so it does not matter how
the audio is divided.

TensorFlow's op wraps the micro frontend's C code for whole recordings. Its library also exports
the C functions themselves (tensorflow/lite/experimental/microfrontend/lib/frontend.h), so live
features come from the very code that made the training features. Loading that library takes a
tenth of a second; importing TensorFlow takes about three.
"""

import ctypes
import functools
import importlib.util
from pathlib import Path
from typing import Protocol

import numpy as np

from kws import features
from kws.errors import KwsError
from kws.features.frontend import Frontend, check_audio
from kws.features.params import FeatureParams

_LIBRARY = "lite/experimental/microfrontend/python/ops/_audio_microfrontend_op.so"
_STATE_BYTES = 4096
"""More than `struct FrontendState` has, which is some 300 bytes of sizes and pointers."""
_SCALE_SHIFT = 7
"""`output_scale_shift` of the filterbank, which the op does not let one choose."""


class _Config(ctypes.Structure):
    """`struct FrontendConfig`, its parts one after another."""

    _fields_ = (
        ("window_size_ms", ctypes.c_size_t),
        ("window_step_ms", ctypes.c_size_t),
        ("num_channels", ctypes.c_int),
        ("upper_band_limit_hz", ctypes.c_float),
        ("lower_band_limit_hz", ctypes.c_float),
        ("output_scale_shift", ctypes.c_int),
        ("smoothing_bits", ctypes.c_int),
        ("even_smoothing", ctypes.c_float),
        ("odd_smoothing", ctypes.c_float),
        ("min_signal_remaining", ctypes.c_float),
        ("enable_pcan", ctypes.c_int),
        ("pcan_strength", ctypes.c_float),
        ("pcan_offset", ctypes.c_float),
        ("gain_bits", ctypes.c_int),
        ("enable_log", ctypes.c_int),
        ("scale_shift", ctypes.c_int),
    )


class _Output(ctypes.Structure):
    """`struct FrontendOutput`: `size` is 0 while a window is not full yet."""

    _fields_ = (("values", ctypes.POINTER(ctypes.c_uint16)), ("size", ctypes.c_size_t))


class MicroLive:
    """One stream through the C code."""

    def __init__(self, params: FeatureParams):
        """Sets up the state of a new stream.

        Raises:
          KwsError: the C code refuses the parameters, or TensorFlow's library is another one.
        """
        self._channels = params.channels
        self._library = _library()
        self._state = ctypes.create_string_buffer(_STATE_BYTES)
        self._made = self._library.FrontendPopulateState(
            ctypes.byref(_config(params)), self._state, params.sample_rate
        )
        if not self._made:
            raise KwsError(
                f"the micro frontend refuses feature_bin_count={params.feature_bin_count} over "
                f"{params.lower_band_limit_hz:g}-{params.upper_band_limit_hz:g} Hz with "
                f"window_size_ms={params.window_size_ms} at {params.sample_rate} Hz",
                hint="keep upper_band_limit_hz below half the sample rate by an FFT bin or more",
            )

    def feed(self, audio: np.ndarray) -> np.ndarray:
        """uint16 `[frames, channels]` of the windows that these int16 `[samples]` complete."""
        audio = np.ascontiguousarray(audio)
        address, remaining = audio.ctypes.data, len(audio)
        used, frames = ctypes.c_size_t(), []
        while remaining:
            output = self._library.FrontendProcessSamples(
                self._state, ctypes.c_void_p(address), remaining, ctypes.byref(used)
            )
            address += 2 * used.value
            remaining -= used.value
            if output.size:
                frames.append(ctypes.string_at(output.values, 2 * output.size))
        flat = np.frombuffer(b"".join(frames), np.uint16)
        return flat.reshape(-1, self._channels)

    def __del__(self) -> None:
        if getattr(self, "_made", 0):
            self._library.FrontendFreeStateContents(self._state)


@functools.cache
def _library() -> ctypes.CDLL:
    found = importlib.util.find_spec("tensorflow")
    roots = [] if found is None else list(found.submodule_search_locations or [])
    for root in roots:
        path = Path(root) / _LIBRARY
        try:
            library = ctypes.CDLL(str(path))
            library.FrontendProcessSamples.restype = _Output
            library.FrontendProcessSamples.argtypes = (
                ctypes.c_void_p,
                ctypes.c_void_p,
                ctypes.c_size_t,
                ctypes.POINTER(ctypes.c_size_t),
            )
            library.FrontendPopulateState.argtypes = (
                ctypes.c_void_p,
                ctypes.c_void_p,
                ctypes.c_int,
            )
            library.FrontendFreeStateContents.argtypes = (ctypes.c_void_p,)
            library.FrontendFreeStateContents.restype = None
            return library
        except (OSError, AttributeError) as error:
            raise KwsError(f"TensorFlow's micro frontend is not as expected: {error}") from error
    raise KwsError("the micro frontend's C code comes with TensorFlow, which is not installed")


def _config(params: FeatureParams) -> _Config:
    return _Config(
        window_size_ms=int(params.window_size_ms),
        window_step_ms=int(params.window_stride_ms),
        num_channels=params.feature_bin_count,
        upper_band_limit_hz=params.upper_band_limit_hz,
        lower_band_limit_hz=params.lower_band_limit_hz,
        output_scale_shift=_SCALE_SHIFT,
        smoothing_bits=params.smoothing_bits,
        even_smoothing=params.even_smoothing,
        odd_smoothing=params.odd_smoothing,
        min_signal_remaining=params.min_signal_remaining,
        enable_pcan=int(params.enable_pcan),
        pcan_strength=params.pcan_strength,
        pcan_offset=params.pcan_offset,
        gain_bits=params.gain_bits,
        enable_log=int(params.enable_log),
        scale_shift=params.scale_shift,
    )


class _Feeds(Protocol):
    def feed(self, audio: np.ndarray) -> np.ndarray: ...


class LiveFrontend:
    """One stream through a frontend.

    Attributes:
      params: of the frontend.
      dtype: of the features.
    """

    def __init__(self, params: FeatureParams):
        """Begins a stream.

        Raises:
          KwsError: the frontend cannot work with these parameters.
        """
        self.params = params
        self.dtype = features.frontend_class(params.frontend).dtype
        self._inner: _Feeds
        if params.frontend == "micro":
            self._inner = MicroLive(params)
        else:
            self._inner = _Windows(features.create(params))

    def feed(self, audio: np.ndarray) -> np.ndarray:
        """Takes the next samples, any number of them.

        Args:
          audio: int16 `[samples]` at `params.sample_rate`.

        Returns:
          `[frames, channels]` of `dtype`: the windows that these samples complete, often none.

        Raises:
          ValueError: audio is not int16 of one dimension.
        """
        check_audio(audio, ndim=1)
        return self._inner.feed(audio)


class LiveAsBatch:
    """A frontend for whole recordings that goes the live way, and so needs no TensorFlow."""

    def __init__(self, params: FeatureParams):
        self.params = params

    def compute(self, audio: np.ndarray) -> np.ndarray:
        """What `Frontend.compute` gives."""
        return LiveFrontend(self.params).feed(audio)


class _Windows:
    """For frontends whose every frame is a function of its own window alone."""

    def __init__(self, frontend: Frontend):
        self._frontend = frontend
        self._kept = np.zeros(0, np.int16)

    def feed(self, audio: np.ndarray) -> np.ndarray:
        heard = np.concatenate([self._kept, audio])
        params = self._frontend.params
        frames = params.frame_count(len(heard))
        self._kept = heard[frames * params.stride_samples :].copy()
        return self._frontend.compute(heard)
