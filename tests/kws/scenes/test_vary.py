"""Versions of negatives: another speed, and now and then another place."""

import numpy as np

from kws.augment.rooms import room_bank
from kws.scenes.negatives import SNR_DB, SPEED, varied

RATE = 16000
SECONDS = 4
TONE_HZ = 1000.0


def spectrum(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.fft.rfftfreq(len(audio), 1 / RATE), np.abs(np.fft.rfft(audio.astype(float))) ** 2


def test_a_version_is_faster_or_slower_and_at_times_over_noise_or_in_a_room():
    time = np.arange(SECONDS * RATE) / RATE
    tone = np.rint(8000 * np.sin(2 * np.pi * TONE_HZ * time)).astype(np.int16)
    hum = np.rint(3000 * np.sin(2 * np.pi * 300 * time)).astype(np.int16)
    rooms = room_bank(1, "eval", 3, RATE)
    snrs_db, others = [], []
    for seed in range(60):
        made = varied(tone, [hum], rooms, np.random.default_rng(seed))
        assert made.dtype == np.int16
        frequencies, power = spectrum(made)
        speed = frequencies[np.where(frequencies > 600, power, 0).argmax()] / TONE_HZ
        assert SPEED[0] - 0.01 <= speed <= SPEED[1] + 0.01
        assert abs(len(made) - len(tone) / speed) < 0.002 * len(tone)
        noise, word = power[frequencies <= 600].sum(), power[frequencies > 600].sum()
        (snrs_db if noise > 1e-3 * word else others).append(10 * np.log10(word / noise))
    # A third of them over the background, at levels all over the range.
    assert 10 <= len(snrs_db) <= 30 and len(others) >= 30
    assert SNR_DB[0] - 0.5 <= min(snrs_db) < 13 and 22 < max(snrs_db) <= SNR_DB[1] + 0.5


def test_digital_silence_and_a_split_without_places_give_a_version_all_the_same():
    for seed in range(6):
        silence = np.zeros(RATE, np.int16)
        assert not varied(silence, [silence], (), np.random.default_rng(seed)).any()
