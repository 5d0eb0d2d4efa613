"""Between int16 arrays and pydub's AudioSegment; the one place that imports pydub."""

import warnings

import numpy as np

with warnings.catch_warnings():
    # pydub looks for ffmpeg as it is imported. Segments are made of samples here: none is needed.
    warnings.filterwarnings("ignore", message="Couldn't find ffmpeg")
    from pydub import AudioSegment
    from pydub.generators import Sine

__all__ = ["AudioSegment", "Sine", "from_segment", "to_segment"]


def to_segment(audio: np.ndarray, sample_rate: int) -> AudioSegment:
    """A mono 16-bit segment of int16 `[samples]`."""
    raw = np.ascontiguousarray(audio, np.int16).tobytes()
    return AudioSegment(data=raw, sample_width=2, frame_rate=sample_rate, channels=1)


def from_segment(segment: AudioSegment) -> np.ndarray:
    """int16 `[samples]` of a mono 16-bit segment (read-only)."""
    return np.frombuffer(segment.raw_data, np.int16)
