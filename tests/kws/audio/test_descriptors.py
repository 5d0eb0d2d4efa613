"""Descriptors of recordings whose values follow from how they were made."""

import math

import numpy as np
import pytest

from kws.audio.clip import FLOOR_DBFS, describe

RATE_HZ = 16000


def tone(amplitude: float, samples: int = RATE_HZ) -> np.ndarray:
    """1 kHz: whole periods in every 10 ms frame."""
    return np.rint(amplitude * np.sin(2 * np.pi * 1000 * np.arange(samples) / RATE_HZ)).astype(
        np.int16
    )


def test_a_half_scale_sine_measures_minus_9_dbfs_rms_and_minus_6_peak():
    found = describe(tone(16384), RATE_HZ)
    assert found["rms_dbfs"] == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)), abs=0.01)
    assert found["peak_dbfs"] == pytest.approx(20 * math.log10(0.5), abs=0.01)
    assert found["duration_ms"] == 1000
    assert found["silence_ratio"] == 0 and found["clipped_ratio"] == 0
    assert abs(found["dc_offset"]) < 1e-6


def test_a_word_between_silences_has_an_offset_and_a_silence_ratio():
    audio = np.zeros(RATE_HZ, np.int16)
    audio[4800:8000] = tone(8000, 3200)
    audio[1600:1760] = 2  # A click that is no speech.
    found = describe(audio, RATE_HZ)
    assert found["speech_offset_ms"] == 300
    assert found["silence_ratio"] == pytest.approx(0.8)


def test_clipping_and_dc_are_shares_of_full_scale():
    audio = np.concatenate([np.full(300, 32767), np.full(100, -32768), np.zeros(600)])
    found = describe(audio.astype(np.int16), RATE_HZ)
    assert found["clipped_ratio"] == pytest.approx(0.4)
    assert found["dc_offset"] == pytest.approx((300 * 32767 - 100 * 32768) / 1000 / 32768)


@pytest.mark.parametrize("samples", [0, 1, 7, 16000])
def test_silence_of_any_length_is_finite_and_at_the_floor(samples):
    found = describe(np.zeros(samples, np.int16), RATE_HZ)
    assert found["rms_dbfs"] == found["peak_dbfs"] == FLOOR_DBFS
    assert found["silence_ratio"] == 1 and found["speech_offset_ms"] == 0
    assert all(math.isfinite(value) for value in found.values())
