"""Codecs: µ-law code by code against Python's own; Opus undelayed, and coarser with fewer bits."""

import audioop  # Python 3.10 to 3.12

import numpy as np
import pytest
from scipy import signal

from kws.augment.codec import mu_law, mu_law_decode, mu_law_encode, opus, telephone
from tests.kws.augment.signals import RATE, level, tone

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)


def voice_like() -> np.ndarray:
    """Harmonics of 150 Hz with noise, a second."""
    audio = sum(tone(150 * k, 4000 / k) for k in range(1, 20))
    return (audio + np.random.default_rng(0).normal(0, 100, RATE)).astype(np.int16)


def test_mu_law_codes_are_those_of_g711_for_every_sample():
    expected = np.frombuffer(audioop.lin2ulaw(EVERY_SAMPLE.tobytes(), 2), np.uint8)
    np.testing.assert_array_equal(mu_law_encode(EVERY_SAMPLE), expected)


def test_mu_law_decodes_every_code_as_g711_does():
    codes = np.arange(256).astype(np.uint8)
    expected = np.frombuffer(audioop.ulaw2lin(codes.tobytes(), 2), np.int16)
    np.testing.assert_array_equal(mu_law_decode(codes), expected)


def test_a_mu_law_round_trip_is_the_two_together():
    expected = mu_law_decode(mu_law_encode(EVERY_SAMPLE))
    np.testing.assert_array_equal(mu_law(EVERY_SAMPLE), expected)
    assert mu_law(EVERY_SAMPLE).dtype == np.int16


def test_a_telephone_has_nothing_above_4_khz_and_keeps_length_and_time():
    audio = voice_like() + tone(6000, 4000).astype(np.int16)
    heard = telephone(audio, RATE)
    frequency, power = signal.welch(heard.astype(float), RATE, nperseg=1024)
    assert power[frequency > 4300].max() < 1e-3 * power[frequency < 3500].max()
    assert len(heard) == RATE
    assert lag(heard, audio) == 0


@pytest.mark.parametrize("rate", [16000, 22050])
def test_opus_keeps_length_time_and_level(rate):
    audio = voice_like()
    heard = opus(audio, rate, 24)
    assert heard.dtype == np.int16
    assert len(heard) == len(audio)
    assert abs(lag(heard, audio)) <= 1
    assert level(heard) == pytest.approx(level(audio), rel=0.15)


def test_opus_is_coarser_with_fewer_bits():
    audio = voice_like()
    errors = [level(opus(audio, RATE, kbps).astype(float) - audio) for kbps in (8, 32, 128)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.1 * level(audio)


def test_opus_says_what_rates_it_has():
    with pytest.raises(ValueError, match="kbps=3: Opus is written at 6 to 256"):
        opus(voice_like(), RATE, 3)


def lag(heard: np.ndarray, audio: np.ndarray) -> int:
    """Of the highest cross-correlation; the noise in the signal makes it a single one."""
    across = signal.correlate(heard.astype(float), audio.astype(float), method="fft")
    return int(np.argmax(across)) - (len(audio) - 1)
