"""From an engine's float audio to a clip: 16 kHz int16, trimmed by energy, levelled, faded."""

import numpy as np

SAMPLE_RATE = 16000
FRAME_SAMPLES = 160
"""10 ms: energy is judged by these."""
THRESHOLD_DB = -38.0
"""A frame belongs to the utterance if it is above this, relative to the loudest frame."""
MARGIN_FRAMES = (3, 5)
"""Kept before the first and after the last such frame: weak onsets and releases live there."""
FADE_SAMPLES = 80
LEVEL_DBFS = -20.0
"""RMS of the frames above the threshold: engines differ by 12 dB, and loudness must not tell a
keyword (mostly Kokoro) from another word (mostly hibari)."""
PEAK_DBFS = -1.0


def to_clip(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """The utterance in `audio`, float32 `[samples]`, as int16 `[samples]` at 16 kHz.

    Raises:
      ValueError: if the audio is silent, or holds NaN or infinity.
    """
    import soxr

    if not np.isfinite(audio).all():
        raise ValueError("the audio holds NaN or infinity")
    at_16k = soxr.resample(audio, sample_rate, SAMPLE_RATE) if sample_rate != SAMPLE_RATE else audio
    frames = np.pad(at_16k, (0, -len(at_16k) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    if not len(power) or power.max() < 1e-8:
        raise ValueError("the audio is silent")
    loud = np.flatnonzero(power > power.max() * 10 ** (THRESHOLD_DB / 10))
    first = max(0, loud[0] - MARGIN_FRAMES[0]) * FRAME_SAMPLES
    end = min(len(at_16k), (loud[-1] + 1 + MARGIN_FRAMES[1]) * FRAME_SAMPLES)
    clip = at_16k[first:end].astype(np.float64)
    gain = 10 ** (LEVEL_DBFS / 20) / np.sqrt(power[loud].mean())
    clip *= min(gain, 10 ** (PEAK_DBFS / 20) / np.abs(clip).max())
    fade = min(FADE_SAMPLES, len(clip) // 2)
    ramp = (np.arange(fade) + 0.5) / fade
    clip[:fade] *= ramp
    clip[len(clip) - fade :] *= ramp[::-1]
    return np.round(clip * 32767).astype(np.int16)
