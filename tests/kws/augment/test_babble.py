"""Talkers whose voices are tones: an FFT tells who talks, when, and how loud."""

import numpy as np
import pytest

from kws.augment.surroundings import babble, cut_speech, talk_outside

RATE = 16000
TONES_HZ = tuple(range(400, 4400, 400))
TALKERS = [
    np.rint(level * np.sin(2 * np.pi * hz * np.arange(RATE * 3) / RATE)).astype(np.int16)
    for hz, level in zip(TONES_HZ, np.geomspace(100, 20000, len(TONES_HZ)), strict=True)
]


def levels(audio: np.ndarray) -> np.ndarray:
    """RMS of each talker, over whole periods of all."""
    spectrum = np.fft.rfft(audio) / len(audio) * np.sqrt(2)
    return np.abs(spectrum[[hz * len(audio) // RATE for hz in TONES_HZ]])


def test_babble_is_two_to_six_people_within_eight_decibels_of_each_other():
    counts = set()
    for seed in range(60):
        mixed = babble(TALKERS, RATE, np.random.default_rng(seed))
        assert mixed.dtype == np.float32
        assert np.sqrt(np.mean(mixed.astype(float) ** 2)) == pytest.approx(1, abs=1e-3)
        found = levels(mixed)
        found = found[found > 0.01 * found.max()]
        counts.add(len(found))
        if len(found) == 6:  # nobody was drawn twice
            assert found.max() / found.min() < 10 ** (8 / 20)
    # One person may be drawn twice; more than six there never are.
    assert {3, 4, 5, 6} <= counts <= {1, 2, 3, 4, 5, 6}


def test_a_pause_of_a_talker_is_not_made_loud():
    hum = np.full(20 * RATE, 3, np.int16)
    hum[:RATE] = TALKERS[-1][:RATE]
    for seed in range(20):
        assert levels(cut_speech([hum, TALKERS[0]], RATE, np.random.default_rng(seed))).max() > 0.5
    with pytest.raises(ValueError, match="are silent"):
        cut_speech([np.zeros(RATE, np.int16)], RATE, np.random.default_rng(0))
    with pytest.raises(ValueError, match="nobody is there"):
        babble([], RATE, np.random.default_rng(0))


def test_a_talker_is_silent_from_the_beginning_to_the_end_of_a_pause():
    talk = talk_outside(TALKERS, 3 * RATE, slice(RATE, 2 * RATE), RATE, np.random.default_rng(1))
    assert not talk[RATE : 2 * RATE].any()
    assert levels(talk[: RATE // 2]).max() == pytest.approx(1, rel=0.05)
    assert levels(talk[-RATE // 2 :]).max() == pytest.approx(1, rel=0.05)
    # The last 5 ms before the pause are faded to a tenth and less: no click.
    assert np.abs(talk[RATE - 80 : RATE]).max() < 0.15 > np.abs(talk[2 * RATE :][:80]).max()
    before = talk_outside(TALKERS, RATE, slice(4000, RATE), RATE, np.random.default_rng(1))
    assert before[:3000].any() and not before[4000:].any()
