"""One stream of a page through a bundle, and what the page draws of it.

Detections are those of `kws.listen`, which are those of `kws detect`. Beside them the page gets
what the model was given (features) and what it said (posteriors), for its two pictures.
"""

import collections
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import soxr

from kws.detect import Spotter
from kws.detection.detector import keyword_indices
from kws.features.live import LiveFrontend
from kws.listen import Listener, Moment

MOST_CHANNELS = 64
"""Rows of the picture; a linear spectrogram has 257 and more, whose neighbours are averaged."""


def describe(spotter: Spotter) -> dict[str, Any]:
    """What a page must know before it draws."""
    params, detector = spotter.frontend.params, spotter.detector
    keywords = keyword_indices(spotter.model.labels)
    return {
        "kind": "hello",
        "bundle": "/".join(spotter.folder.parts[-3:]),
        "keywords": [spotter.model.labels[index] for index in keywords],
        "rule": detector.rule,
        "threshold": detector.detection_threshold,
        "sensitivity": spotter.sensitivity,
        "window_ms": _window_ms(spotter),
        "sample_rate": params.sample_rate,
        "frame_ms": params.window_size_ms,
        "hop_ms": params.window_stride_ms,
        "frontend": params.frontend,
    }


class Session:
    """One stream: samples in, drawable updates out."""

    def __init__(self, spotter: Spotter, rate: int | None = None):
        """Begins a stream.

        Args:
          spotter: its streaming model, if it is one, serves this session alone.
          rate: of the samples to come, Hz; None: the bundle's.

        Raises:
          KwsError: the detector's stride does not fit the frontend's hop or the model's step.
        """
        self._spotter = spotter
        self._listener = Listener(spotter)
        # Once more, for the picture: the listener keeps its own features to itself.
        self._frontend = LiveFrontend(spotter.frontend.params)
        self._keywords = keyword_indices(spotter.model.labels)
        self._window_ms = _window_ms(spotter)
        self._recent: collections.deque[tuple[int, np.ndarray]] = collections.deque()
        wanted = spotter.frontend.params.sample_rate
        self._resampler = (
            None
            if rate in (None, wanted)
            else soxr.ResampleStream(rate, wanted, 1, dtype="int16", quality="HQ")
        )

    def feed(self, audio: np.ndarray) -> dict[str, Any]:
        """Takes the next int16 samples, and gives what they complete."""
        if self._resampler is not None:
            audio = self._resampler.resample_chunk(audio)
        return self._update(audio, self._listener.feed(audio))

    def finish(self) -> dict[str, Any]:
        """The stream has ended; what a stream shorter than a clip still owes."""
        nothing = np.zeros(0, np.int16)
        audio = (
            nothing if self._resampler is None else self._resampler.resample_chunk(nothing, True)
        )
        moments = [*self._listener.feed(audio), *self._listener.finish()]
        return self._update(audio, iter(moments))

    def _update(self, audio: np.ndarray, moments: Iterator[Moment]) -> dict[str, Any]:
        features = _for_the_picture(self._frontend.feed(audio))
        rows, detections = [], []
        for moment in moments:
            rows.append([moment.time_ms, *self._both(moment)])
            if moment.detection is not None:
                detections.append(dataclasses.asdict(moment.detection))
        return {
            "kind": "heard",
            "heard_ms": round(self._listener.heard_ms, 1),
            "frames": features.tolist(),
            "rows": rows,
            "detections": detections,
        }

    def _both(self, moment: Moment) -> tuple[list[float], list[float]]:
        """Each keyword's posterior, and what the detector holds against the threshold, to draw."""
        self._recent.append((moment.time_ms, moment.posteriors[self._keywords]))
        while self._recent[0][0] <= moment.time_ms - self._window_ms:
            self._recent.popleft()
        rows = np.array([row for _, row in self._recent], np.float64)
        lowest = self._spotter.detector.rule == "consecutive"
        score = rows.min(axis=0) if lowest else rows.mean(axis=0)
        return rows[-1].round(3).tolist(), score.round(3).tolist()


def _window_ms(spotter: Spotter) -> int:
    """That the score is of; the rule `steps` looks at each row alone."""
    detector = spotter.detector
    if detector.averages:
        return detector.average_window_ms
    rows = detector.minimum_count if detector.rule == "consecutive" else 1
    return rows * detector.clip_stride_ms


def _for_the_picture(features: np.ndarray) -> np.ndarray:
    """`[frames, channels]` with at most MOST_CHANNELS channels, rounded to what a colour shows."""
    together = -(-features.shape[1] // MOST_CHANNELS)
    rows = features.shape[1] // together
    used = features[:, : rows * together].astype(np.float64)
    parts = used.reshape(len(features), rows, together)
    return parts.mean(axis=2).round(1)
