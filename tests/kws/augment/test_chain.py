"""The chain: each share does what it says, words stay whole and in place, seeds give bytes."""

import dataclasses

import numpy as np
import pytest

from kws.audio.clip import Clip
from kws.augment.chain import STEPS, change_voice, draw
from kws.augment.level import active_speech
from kws.augment.mix import noisy_copy
from kws.augment.params import AugmentParams, NoisyCopyParams
from kws.augment.rooms import room_bank
from kws.augment.seed import generator
from kws.labels import SILENCE
from tests.kws.augment.signals import RATE, level, strongest_hz, tone

ROOMS = room_bank(0, "train", 2)
EVERYTHING = AugmentParams(**{f"{step}_share": 1.0 for step in STEPS})
QUIET = np.random.default_rng(1).normal(0, 50, 5 * RATE).astype(np.int16)


def word_clip(start: int = 4800, samples: int = 6400, label: str = "yes") -> Clip:
    """A second with a 600 Hz tone in it."""
    audio = np.zeros(RATE, np.int16)
    audio[start : start + samples] = tone(600, 6000, samples / RATE)
    return Clip(
        audio=audio, sample_rate=RATE, label=label, word="yes", speaker="s", source="t",
        clip_id="c", novelty="keyword",
    )  # fmt: skip


def copy_of(clip: Clip, augment: AugmentParams, seed: int = 0, **fields) -> Clip:
    settings = dict(snr_db=(40, 40), gain_db=(0, 0), time_shift_ms=0, lead_in_ms=500)
    params = NoisyCopyParams(augment=augment, **{**settings, **fields})
    return noisy_copy(clip, QUIET, params, generator(seed, "c"), ROOMS)


def test_without_shares_a_copy_is_what_it_was_without_augmentation():
    only_ranges = AugmentParams(speed=(0.5, 0.6), rooms=3, clipping_db=(20, 30))
    plain, ranges = copy_of(word_clip(), AugmentParams()), copy_of(word_clip(), only_ranges)
    assert plain.audio.tobytes() == ranges.audio.tobytes()


@pytest.mark.parametrize("step", STEPS)
def test_each_share_changes_the_copy_and_leaves_length_label_and_lead_in(step):
    plain = copy_of(word_clip(), AugmentParams())
    changed = copy_of(word_clip(), AugmentParams(**{f"{step}_share": 1.0}))
    assert changed.audio.tobytes() != plain.audio.tobytes()
    same = ("label", "word", "speaker", "augmentation", "lead_in_ms", "snr_db")
    assert all(getattr(changed, name) == getattr(plain, name) for name in same)
    assert len(changed.audio) == len(plain.audio)
    assert changed.audio.dtype == np.int16


def test_a_share_of_a_half_treats_about_half_of_the_copies():
    params = AugmentParams(codec_share=0.5)
    coded = sum(draw(params, (), RATE, generator(i, "x")).codec is not None for i in range(400))
    assert 160 <= coded <= 240


def test_turning_one_augmentation_on_changes_no_other():
    for seed in range(5):
        alone = draw(AugmentParams(codec_share=1.0), (), RATE, generator(seed, "x"))
        among = draw(EVERYTHING, ROOMS, RATE, generator(seed, "x"))
        assert (alone.codec, alone.opus_kbps) == (among.codec, among.opus_kbps)


def test_the_same_seed_gives_the_same_bytes_with_everything_on():
    first, again, other = (copy_of(word_clip(), EVERYTHING, seed) for seed in (0, 0, 1))
    assert first.audio.tobytes() == again.audio.tobytes()
    assert first.audio.tobytes() != other.audio.tobytes()


@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_speed_keeps_the_middle_of_the_word_in_its_place(factor):
    params = AugmentParams(speed_share=1.0, speed=(factor, factor))
    copy = copy_of(word_clip(), params)
    word = active_speech(copy.audio[8000:], RATE)
    assert (word.start + word.stop) / 2 == pytest.approx(8000, abs=200)
    assert word.stop - word.start == pytest.approx(6400 / factor, abs=350)
    inner = copy.audio[8000 + word.start : 8000 + word.stop]
    assert strongest_hz(inner) == pytest.approx(600 * factor, abs=5)


@pytest.mark.parametrize(("start", "samples"), [(0, 15000), (0, 8000), (8000, 8000), (0, 16000)])
def test_a_slowed_word_never_leaves_its_clip(start, samples):
    audio = word_clip(start, samples).audio.copy()
    stop = start + samples
    audio[stop - 1600 : stop] = 1.5 * audio[stop - 1600 : stop]  # the end, to be found again
    word = active_speech(audio, RATE)
    treatment = dataclasses.replace(draw(AugmentParams(), (), RATE, generator(0)), tempo=0.6)
    changed = change_voice(audio, word, treatment, RATE)
    pace = max(0.6, samples / RATE)
    heard = np.flatnonzero(np.abs(changed) > 2000)
    assert heard[-1] - heard[0] == pytest.approx(samples / pace, abs=500)
    end = np.flatnonzero(np.abs(changed) > 7000)
    assert end[-1] - end[0] == pytest.approx(1600 / pace, abs=400)


def test_the_snr_holds_for_a_word_in_a_room():
    params = AugmentParams(reverb_share=1.0)
    clip = word_clip()
    copies = [copy_of(clip, params, seed, snr_db=(10, 10)) for seed in range(4)]
    for copy in copies:
        word = copy.audio[8000 + 4800 : 8000 + 11200]
        noise = level(copy.audio[:8000])
        measured = 20 * np.log10(np.sqrt(level(word) ** 2 - noise**2) / noise)
        assert measured == pytest.approx(10, abs=0.6)
        assert copy.snr_db == 10


def test_silence_is_not_put_into_a_room_nor_sped_up():
    silence = dataclasses.replace(word_clip(), label=SILENCE)
    params = AugmentParams(speed_share=1.0, tempo_share=1.0, pitch_share=1.0, reverb_share=1.0)
    plain, treated = copy_of(silence, AugmentParams()), copy_of(silence, params)
    assert plain.audio.tobytes() == treated.audio.tobytes()


def test_a_room_that_is_wanted_must_be_given():
    params = NoisyCopyParams(augment=AugmentParams(reverb_share=0.5))
    with pytest.raises(ValueError, match=r"reverb_share=0\.5, but no room"):
        noisy_copy(word_clip(), QUIET, params, generator(0, "c"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (dict(speed=(1.2, 0.8)), r"speed=\[1.2, 0.8\] runs backwards"),
        (dict(tempo=(0.1, 1.0)), r"tempo=\[0.1, 1\] leaves 0.5 to 2"),
        (dict(opus_kbps=(2.0, 16.0)), r"opus_kbps=\[2, 16\] leaves 6 to 256"),
        (dict(reverb_share=1.5), "less than or equal to 1"),
        (dict(codecs=("mp3",)), "codecs"),
    ],
)
def test_a_wrong_range_is_refused_by_name(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        AugmentParams(**fields)
