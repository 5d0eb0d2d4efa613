"""FeatureParams: everything that decides what a frontend's numbers are.

Written beside every dataset, model and bundle and compared, never assumed.
"""

import json
from typing import Literal

import pydantic

from kws.params import Params

FRONTEND_FILE = "frontend.json"
DERIVED = "derived"
"""Key in `frontend.json` of what follows from the parameters; see `kws.features.files`."""


class FeatureParams(Params):
    """Parameters of a frontend; the defaults are the micro frontend as microcontrollers run it.

    The noise-reduction, PCAN and log parameters have the names and defaults of the fixed-point
    micro frontend (tensorflow/lite/experimental/microfrontend/lib) and are read by it alone, as
    `dct_coefficient_count` is by mfcc, `density_rate_hz` by spectrogram, and `decibel_floor` by
    spectrogram and speech_mel.

    A window or hop that is no whole number of milliseconds is meant as so many samples, to the
    nearest: 4.5351 ms are 200 samples at 44.1 kHz. Whole milliseconds are rounded down to samples,
    as the C code of the micro frontend does.
    """

    frontend: Literal[
        "micro", "log_mel", "mfcc", "spectrogram", "speech_mel", "speech_embedding"
    ] = "micro"
    sample_rate: int = pydantic.Field(16000, ge=8000, le=48000, description="Hz")
    clip_duration_ms: int = pydantic.Field(
        1000, gt=0, description="what a windowed model hears, ms"
    )
    context_ms: int | None = pydantic.Field(
        None,
        gt=0,
        description="of a clip, what one posterior of a streaming model depends on, ms; None: all "
        "of it. With less the model answers at every step of a clip (see kws/training/spotting.py)",
    )
    window_size_ms: int | float = pydantic.Field(30, gt=0, description="ms")
    window_stride_ms: int | float = pydantic.Field(
        20, gt=0, description="ms between frames (the hop)"
    )
    feature_bin_count: int = pydantic.Field(
        40, ge=4, le=1025, description="mel channels; of a spectrogram, the FFT's bins"
    )
    dct_coefficient_count: int = pydantic.Field(
        10, ge=1, le=1025, description="mfcc: coefficients kept of the mel channels, from 0 on"
    )
    cepstral_lifter: int = pydantic.Field(
        22,
        ge=0,
        description="mfcc: coefficient n is multiplied by 1 + L/2 sin(pi n / L), so that all are "
        "of one size, as one int8 scale wants them; 0: as they are",
    )
    lower_band_limit_hz: float = pydantic.Field(125.0, ge=0)
    upper_band_limit_hz: float = pydantic.Field(7500.0, gt=0)
    smoothing_bits: int = 10
    even_smoothing: float = 0.025
    odd_smoothing: float = 0.06
    min_signal_remaining: float = 0.05
    enable_pcan: bool = True
    pcan_strength: float = 0.95
    pcan_offset: float = 80.0
    gain_bits: int = 21
    enable_log: bool = True
    scale_shift: int = 6
    density_rate_hz: float | None = pydantic.Field(
        None, gt=0, description="spectrogram: its power is per Hz at this rate; None: sample_rate"
    )
    decibel_floor: float | None = pydantic.Field(
        None,
        description="spectrogram: decibels, of no less than this; None: the power itself. "
        "speech_mel: its least value, None: 10",
    )

    @pydantic.field_validator("window_size_ms", "window_stride_ms")
    @classmethod
    def _whole(cls, value: int | float) -> int | float:
        return int(value) if value == int(value) else value

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "FeatureParams":
        if self.window_size_ms < self.window_stride_ms:
            raise ValueError(
                f"window_size_ms={self.window_size_ms} is shorter than "
                f"window_stride_ms={self.window_stride_ms}: a frame would skip audio"
            )
        if self.stride_samples < 1:
            raise ValueError(
                f"window_stride_ms={self.window_stride_ms} is less than a sample at "
                f"{self.sample_rate} Hz"
            )
        if self.frontend == "micro" and not (
            isinstance(self.window_size_ms, int) and isinstance(self.window_stride_ms, int)
        ):
            raise ValueError(
                f"window_size_ms={self.window_size_ms}, window_stride_ms={self.window_stride_ms}: "
                "the micro frontend counts in whole milliseconds"
            )
        if self.frontend == "spectrogram":
            bins = self.window_samples // 2 + 1
            if self.feature_bin_count != bins:
                raise ValueError(
                    f"feature_bin_count={self.feature_bin_count}: a spectrogram of windows of "
                    f"{self.window_samples} samples (window_size_ms={self.window_size_ms}) has "
                    f"{bins}"
                )
        if self.frontend == "mfcc" and self.dct_coefficient_count > self.feature_bin_count:
            raise ValueError(
                f"dct_coefficient_count={self.dct_coefficient_count} is more than "
                f"feature_bin_count={self.feature_bin_count}: there are no more coefficients than "
                "mel channels"
            )
        if self.frontend == "mfcc" and 0 < self.cepstral_lifter < self.dct_coefficient_count:
            raise ValueError(
                f"dct_coefficient_count={self.dct_coefficient_count} is more than cepstral_lifter="
                f"{self.cepstral_lifter}, whose factors fall below 1 from there on: ask for fewer "
                "coefficients, or for cepstral_lifter=0"
            )
        if self.clip_duration_ms < self.window_size_ms:
            raise ValueError(
                f"clip_duration_ms={self.clip_duration_ms} is shorter than "
                f"window_size_ms={self.window_size_ms}: not one frame would fit"
            )
        if self.context_ms is not None and not (
            self.window_size_ms <= self.context_ms <= self.clip_duration_ms
        ):
            raise ValueError(
                f"context_ms={self.context_ms} must be between window_size_ms="
                f"{self.window_size_ms} and clip_duration_ms={self.clip_duration_ms}"
            )
        if not self.lower_band_limit_hz < self.upper_band_limit_hz <= self.sample_rate / 2:
            raise ValueError(
                f"the band {self.lower_band_limit_hz:g}-{self.upper_band_limit_hz:g} Hz must rise "
                f"and stay within 0-{self.sample_rate / 2:g} Hz"
            )
        return self

    @classmethod
    def from_json(cls, text: str | bytes) -> "FeatureParams":
        """Parses what `to_json` or `kws.features.files.write` wrote.

        Raises:
          pydantic.ValidationError: anything else.
        """
        try:
            values = json.loads(text)
        except ValueError:
            values = None
        if isinstance(values, dict) and DERIVED in values:
            text = json.dumps({k: v for k, v in values.items() if k != DERIVED})
        return super().from_json(text)

    @property
    def window_samples(self) -> int:
        return self._samples(self.window_size_ms)

    @property
    def stride_samples(self) -> int:
        return self._samples(self.window_stride_ms)

    def _samples(self, milliseconds: int | float) -> int:
        if isinstance(milliseconds, int):
            return self.sample_rate * milliseconds // 1000
        return round(self.sample_rate * milliseconds / 1000)

    @property
    def clip_samples(self) -> int:
        return self.sample_rate * self.clip_duration_ms // 1000

    def frame_count(self, num_samples: int) -> int:
        """Frames that fit wholly into so many samples."""
        return max(0, 1 + (num_samples - self.window_samples) // self.stride_samples)

    @property
    def channels(self) -> int:
        """Values of one frame: the coefficients of mfcc, else the bins."""
        return self.dct_coefficient_count if self.frontend == "mfcc" else self.feature_bin_count

    @property
    def feature_shape(self) -> tuple[int, int]:
        """`[frames, channels]` of one clip."""
        return self.frame_count(self.clip_samples), self.channels

    @property
    def context_frames(self) -> int | None:
        """Frames that one posterior depends on; None: those of the whole clip."""
        frames, _ = self.context_shape
        return None if frames == self.feature_shape[0] else frames

    @property
    def context_shape(self) -> tuple[int, int]:
        """`[frames, channels]` that one posterior depends on."""
        if self.context_ms is None:
            return self.feature_shape
        return self.frame_count(self.sample_rate * self.context_ms // 1000), self.channels
