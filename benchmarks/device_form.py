"""Streams heard once more through TensorFlow Lite Micro: what differs from what TFLite heard."""

import dataclasses
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from kws import features
from kws.detection.detector import detect
from kws.detection.params import DetectorParams
from kws.detection.posteriors import StreamPosteriors, stream_posteriors
from kws.detection.rates import MS_PER_HOUR
from kws.runtime import load


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """Of the streams that were heard twice.

    Attributes:
      hours: of audio.
      seconds: that TFLM took for it.
      values, other_values: posteriors compared, and those that are not the same.
      settings, other_settings: streams times detectors, and those whose detections differ.
    """

    hours: float
    seconds: float
    values: int
    other_values: int
    settings: int
    other_settings: int

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.other_values and not self.other_settings

    def __str__(self) -> str:
        speed = self.hours * 3600 / self.seconds if self.seconds else 0.0
        return (
            f"through TensorFlow Lite Micro: {self.hours:.2f} h at {speed:.0f} x real time, "
            f"{self.other_values:,} of {self.values:,} posteriors differ, detections differ in "
            f"{self.other_settings} of {self.settings} streams and settings"
        )


def compare(
    folder: Path,
    heard: Iterable[tuple[np.ndarray, StreamPosteriors]],
    detectors: Sequence[DetectorParams],
    minutes: float,
) -> Comparison:
    """Hears whole streams until so many minutes have been heard.

    Args:
      folder: of the int8 model, with its labels and frontend.
      heard: each stream's audio, int16 `[samples]`, and what TFLite made of it.
      detectors: with which detections are compared; all run the model at the same stride.
      minutes: of audio, at least; all streams where they hold less.
    """
    model = load.load_folder(folder, runtime="tflm")
    frontend = features.create(model.feature_params)
    values = other_values = settings = other_settings = 0
    began, hours = time.perf_counter(), 0.0
    stride_ms = detectors[0].clip_stride_ms
    for audio, stream in heard:
        times_ms, rows = stream_posteriors(model, frontend, audio, stride_ms)
        values += rows.size
        other_values += int(np.count_nonzero(rows != stream.posteriors))
        other_settings += sum(
            detect(times_ms, rows, detector, model.labels)
            != detect(stream.times_ms, stream.posteriors, detector, model.labels)
            for detector in detectors
        )
        settings += len(detectors)
        hours += stream.truth.duration_ms / MS_PER_HOUR
        if hours * 60 >= minutes:
            break
    return Comparison(
        hours=hours,
        seconds=time.perf_counter() - began,
        values=values,
        other_values=other_values,
        settings=settings,
        other_settings=other_settings,
    )
