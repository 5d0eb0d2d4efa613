"""Every recording becomes a window of one length, with the word inside."""

import numpy as np

from kws.audio.align import align, window_start

RATE_HZ = 16000


def test_a_short_word_is_padded_alike_on_both_sides():
    word = np.arange(1, 1001, dtype=np.int16)
    window = align(word, 1500, RATE_HZ)
    np.testing.assert_array_equal(window[250:1250], word)
    assert not window[:250].any() and not window[1250:].any()


def test_a_word_in_a_long_quiet_recording_lands_in_the_middle():
    audio = np.zeros(3 * RATE_HZ, np.int16)
    audio[20000:24000] = 5000
    window = align(audio, RATE_HZ, RATE_HZ)
    loud = np.flatnonzero(window)
    assert loud.size == 4000
    assert abs((loud[0] + loud[-1]) / 2 - RATE_HZ / 2) <= RATE_HZ * 0.01


def test_the_cut_window_has_the_most_energy_of_all():
    rng = np.random.default_rng(1)
    envelope = np.interp(np.arange(40000), [0, 11000, 25000, 40000], [100, 6000, 300, 100])
    audio = (rng.standard_normal(40000) * envelope).clip(-32768, 32767).astype(np.int16)
    window = align(audio, RATE_HZ, RATE_HZ)
    energies = [np.sum(audio[s : s + RATE_HZ].astype(float) ** 2) for s in range(0, 24001, 40)]
    assert np.sum(window.astype(float) ** 2) > 0.998 * max(energies)


def test_a_recording_of_the_right_length_is_untouched():
    audio = np.arange(RATE_HZ, dtype=np.int16)
    np.testing.assert_array_equal(align(audio, RATE_HZ, RATE_HZ), audio)


def test_hum_and_an_offset_do_not_draw_the_window_away_from_the_word():
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    fading = 4000 * np.linspace(1.5, 0.2, time.size)
    audio = 2000 + fading * np.sin(2 * np.pi * 50 * time)
    audio[22000:26800] += np.random.default_rng(2).standard_normal(4800) * 1500
    start = window_start(np.rint(audio).astype(np.int16), RATE_HZ, RATE_HZ)
    assert start <= 22000 and start + RATE_HZ >= 26800
