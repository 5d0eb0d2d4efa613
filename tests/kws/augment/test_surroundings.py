"""What surrounds a word, measured in copies whose word, background and talkers are tones."""

from collections import Counter

import numpy as np
import pytest
from scipy import signal

from kws.augment.mix import noisy_copy
from kws.augment.params import NoisyCopyParams
from kws.augment.seed import generator
from kws.augment.surroundings import draw_surroundings
from kws.labels import SILENCE
from tests.kws.augment.test_mix import RATE, STILL, level_at, tone, word_clip

WORD_HZ, RECORDED_HZ, TALK_HZ = 1000, 3000, 2000
RECORDED, TALKERS = tone(RECORDED_HZ, 900, 7), [tone(TALK_HZ, 4000, 7)]
START, STOP = 8000 + 4800, 8000 + 11200
"""Of the word in a copy, after half a second of lead-in."""


def copy_with(seed: int = 0, clip=None, **fields):
    params = NoisyCopyParams.model_validate({**STILL.model_dump(), **fields})
    return noisy_copy(clip or word_clip(), RECORDED, params, generator(seed, "x"), (), TALKERS)


@pytest.mark.parametrize("kind", ["babble", "single_talker"])
def test_the_ratio_over_other_people_is_their_own(kind):
    copy = copy_with(**{f"{kind}_share": 1.0, "babble_snr_db": (3.0, 3.0)})
    assert copy.snr_db == pytest.approx(3.0)
    word, people = level_at(copy.audio[START:STOP], WORD_HZ), level_at(copy.audio[:8000], TALK_HZ)
    assert 20 * np.log10(word / people) == pytest.approx(3.0, abs=0.5)
    assert level_at(copy.audio[:8000], RECORDED_HZ) < 0.01 * people
    assert copy_with(**{f"{kind}_share": 1.0}).snr_db == pytest.approx(10.0)


def test_a_quiet_copy_is_over_the_recording_and_far_above_it():
    copy = copy_with(quiet_share=1.0)
    assert 25 <= copy.snr_db <= 45
    word, noise = level_at(copy.audio[START:STOP], WORD_HZ), level_at(copy.audio[:8000], 3000)
    assert 20 * np.log10(word / noise) == pytest.approx(copy.snr_db, abs=1.0)


@pytest.mark.parametrize("exponent", [-0.2, 0.7, 1.6])
def test_coloured_noise_has_the_slope_asked_for(exponent):
    clip = word_clip(amplitude=1)
    clip.audio[:] = 0
    copy = copy_with(
        clip=clip, coloured_noise_share=1.0, coloured_noise_exponent=(exponent, exponent),
        lead_in_ms=8000,
    )  # fmt: skip
    hz, power = signal.welch(copy.audio.astype(float), RATE, nperseg=1024)
    inside = (hz > 100) & (hz < 7000)
    slope = np.polyfit(np.log(hz[inside]), np.log(power[inside]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.1)


def test_somebody_talks_until_shortly_before_the_word():
    ends = []
    for seed in range(30):
        copy = copy_with(seed, talk_before_share=1.0, snr_db=(60.0, 60.0))
        envelope = np.abs(signal.sosfiltfilt(
            signal.butter(2, (1700, 2300), "bandpass", fs=RATE, output="sos"),
            copy.audio.astype(float),
        ))  # fmt: skip
        talking = np.flatnonzero(envelope[: START - 400] > 0.3 * envelope[:4000].max())
        ends.append((START - talking[-1]) / RATE)
        assert level_at(copy.audio[START:STOP], TALK_HZ) < 0.02 * level_at(
            copy.audio[START:STOP], WORD_HZ
        )
    # The fade of 50 ms is passed at about a third of its way.
    assert 0.13 <= min(ends) < 0.3 and 0.5 < max(ends) <= 0.65


def test_the_copies_are_divided_as_the_shares_say():
    params = NoisyCopyParams(
        quiet_share=0.1, babble_share=0.2, single_talker_share=0.3, coloured_noise_share=0.15
    )
    drawn = [draw_surroundings(params, "yes", generator(seed, "x")) for seed in range(2000)]
    counts = Counter(one.kind for one in drawn)
    for kind, share in (
        ("quiet", 0.1),
        ("babble", 0.2),
        ("single_talker", 0.3),
        ("coloured_noise", 0.15),
        ("recorded", 0.25),
    ):
        assert counts[kind] / 2000 == pytest.approx(share, abs=0.04), kind
    assert {one.talk for one in drawn} == {None}


def test_nobody_talks_around_silence():
    every = {"babble_share": 0.5, "single_talker_share": 0.5, "talk_before_share": 1.0}
    params = NoisyCopyParams(**every)
    for seed in range(20):
        drawn = draw_surroundings(params, SILENCE, generator(seed, "x"))
        assert (drawn.kind, drawn.talk) == ("recorded", None)


def test_what_surrounds_a_word_changes_neither_its_place_nor_its_gain():
    moving = {"time_shift_ms": 200.0, "gain_db": (-20.0, 0.0), "snr_db": (60.0, 60.0)}
    plain = copy_with(**moving)
    other = copy_with(**moving, babble_share=1.0, talk_before_share=1.0, babble_snr_db=(60, 60))
    word = slice(8000 + 4000, None)
    assert (
        np.abs(plain.audio[word].astype(int) - other.audio[word]).max()
        < 0.01 * np.abs(plain.audio).max()
    )


def test_more_backgrounds_than_copies_are_refused():
    with pytest.raises(ValueError, match=r"= 1\.2: a copy has one background"):
        NoisyCopyParams(babble_share=0.6, coloured_noise_share=0.6)
    with pytest.raises(ValueError, match=r"babble_snr_db=\[9.0, 3.0\] runs backwards"):
        NoisyCopyParams(babble_snr_db=(9, 3))
