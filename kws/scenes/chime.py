"""A chime laid over a recording wherever something was detected, to hear how it would feel."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kws.scenes.section import AudioSegment, Sine, to_segment

TONES_HZ = (880, 1320)
TONE_MS = 90
GAIN_DB = -14.0


def lay_chimes(audio: np.ndarray, sample_rate: int, times_ms: Sequence[int], path: Path) -> None:
    """Writes the recording with a rising chime of two tones beginning at each time.

    Args:
      audio: int16 `[samples]`.
      sample_rate: Hz.
      times_ms: where chimes begin; one near the end makes the recording longer.
      path: of the WAV.
    """
    sound = to_segment(audio, sample_rate)
    chime = AudioSegment.silent(0, frame_rate=sample_rate)
    for hz in TONES_HZ:
        tone = Sine(hz, sample_rate=sample_rate).to_audio_segment(TONE_MS, volume=GAIN_DB)
        chime += tone.fade_in(5).fade_out(60)
    last_ms = max(times_ms, default=0) + len(chime)
    if last_ms > len(sound):
        sound += AudioSegment.silent(last_ms - len(sound), frame_rate=sample_rate)
    for time_ms in times_ms:
        sound = sound.overlay(chime, position=time_ms)
    sound.export(str(path), format="wav")
