"""Where the word is in a clip."""

import numpy as np
import pytest

from kws.augment.level import active_speech

RATE = 16000


def noise(level: float, seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, int(RATE * seconds))


def bounds_ms(audio: np.ndarray) -> tuple[float, float]:
    found = active_speech(audio.astype(np.int16), RATE)
    return found.start / 16, found.stop / 16


def test_a_word_in_a_noisy_room_is_found_to_a_frame():
    audio = noise(30)
    audio[4800:11200] += noise(3000, 0.4, seed=1)
    assert bounds_ms(audio) == pytest.approx((300, 700), abs=10)
    assert active_speech(audio.astype(np.int16), RATE).rms == pytest.approx(3000, rel=0.05)


def test_the_closure_of_a_stop_consonant_does_not_end_the_word():
    audio = noise(5)
    audio[3200:6400] += noise(3000, 0.2, seed=1)
    audio[8800:9600] += noise(1000, 0.05, seed=2)
    assert bounds_ms(audio) == pytest.approx((200, 600), abs=10)


def test_a_click_far_from_the_word_does_not_belong_to_it():
    audio = noise(5)
    audio[160:200] = 20000
    audio[8000:12800] += noise(3000, 0.3, seed=1)
    assert bounds_ms(audio) == pytest.approx((500, 800), abs=10)


def test_sound_without_a_pause_is_active_throughout():
    assert bounds_ms(noise(500)) == (0, 1000)


def test_digital_silence_is_the_whole_clip_at_level_zero():
    found = active_speech(np.zeros(RATE, np.int16), RATE)
    assert (found.start, found.stop, found.rms) == (0, RATE, 0.0)
