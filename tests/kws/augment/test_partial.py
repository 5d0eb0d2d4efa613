"""Parts of words that are made of bursts of tones, one for each syllable."""

import dataclasses

import numpy as np
import pytest

from kws.augment.level import active_speech
from kws.augment.mix import noisy_copy
from kws.augment.params import NoisyCopyParams
from kws.augment.partial import KEPT, cut_part, partial_copy
from kws.augment.seed import generator
from kws.labels import UNKNOWN
from tests.kws.augment.test_mix import RATE, level_at, tone, word_clip

STILL = NoisyCopyParams(snr_db=(60, 60), gain_db=(0, 0), time_shift_ms=0, lead_in_ms=500)
QUIET, TALKERS = tone(3000, 900, 7), [tone(2000, 4000, 7)]


def said(*syllables: tuple[float, float], gap_s: float = 0.04, at_s: float = 0.3) -> np.ndarray:
    """A clip of 1.5 s with bursts of (Hz, seconds) under raised cosines."""
    audio = np.zeros(RATE * 3 // 2)
    place = int(at_s * RATE)
    for hz, seconds in syllables:
        burst = np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)
        audio[place : place + len(burst)] = 8000 * burst * np.hanning(len(burst))
        place += len(burst) + int(gap_s * RATE)
    return np.rint(audio).astype(np.int16)


def part_of(audio: np.ndarray, kind: str, kept: float = KEPT[1]) -> np.ndarray | None:
    return cut_part(audio, active_speech(audio, RATE), kind, RATE, kept)


def share_kept(whole: np.ndarray, part: np.ndarray, hz: float) -> float:
    return float(level_at(part, hz) / level_at(whole, hz))


TWO = said((500, 0.25), (900, 0.25))
LONG_AND_SHORT = said((500, 0.45), (900, 0.15))


@pytest.mark.parametrize("kept", KEPT)
def test_a_beginning_has_the_first_syllable_and_lacks_most_of_the_last(kept):
    for whole in (TWO, LONG_AND_SHORT):
        part = part_of(whole, "beginning", kept)
        assert share_kept(whole, part, 500) > 0.5
        assert share_kept(whole, part, 900) < 0.6
        # Where it is at all, it is where it was.
        steady = slice(
            active_speech(whole, RATE).start + 300, active_speech(whole, RATE).start + 2000
        )
        assert np.array_equal(part[steady], whole[steady])


@pytest.mark.parametrize("kept", KEPT)
def test_an_end_has_the_last_syllable_and_lacks_most_of_the_first(kept):
    for whole in (TWO, said((500, 0.15), (900, 0.45))):
        part = part_of(whole, "end", kept)
        assert share_kept(whole, part, 900) > 0.5
        assert share_kept(whole, part, 500) < 0.6


def test_a_part_of_one_syllable_ends_before_its_peak():
    whole = said((500, 0.4))
    part = part_of(whole, "beginning")
    peak = int(0.5 * RATE)
    assert np.flatnonzero(part)[-1] <= peak + 160
    assert np.flatnonzero(part_of(whole, "end"))[0] >= peak - 160
    assert part_of(said((500, 0.12)), "beginning") is None, "too short to be a negative"


def test_a_reversed_word_is_the_word_backwards():
    word = active_speech(TWO, RATE)
    part = part_of(TWO, "reversed")
    middle = slice(word.start + 400, word.stop - 400)
    backwards = TWO[word.start : word.stop][::-1]
    assert np.array_equal(part[middle], backwards[400:-400])


def test_phrases_are_cut_in_their_pause():
    phrase = said((500, 0.2), (900, 0.4), gap_s=0.15)
    first, last = part_of(phrase, "first_words"), part_of(phrase, "last_words")
    assert share_kept(phrase, first, 500) == pytest.approx(1, abs=0.02)
    assert share_kept(phrase, first, 900) < 0.01
    assert share_kept(phrase, last, 900) == pytest.approx(1, abs=0.02)
    assert share_kept(phrase, last, 500) < 0.01
    assert part_of(said((500, 0.6)), "first_words") is None, "there is no pause"


def keyword_clip(word: str = "toaster", audio: np.ndarray = TWO, **fields):
    return dataclasses.replace(
        word_clip(speaker="ann", source="mine", file="a.wav", **fields),
        audio=audio, label=word, word=word,
    )  # fmt: skip


def test_a_partial_copy_is_unknown_and_keeps_whose_it_was():
    words, ids, talked = set(), set(), 0
    for number in range(40):
        rng = generator(0, "partial", "c", number)
        copy = partial_copy(keyword_clip(), QUIET, STILL, rng, (), TALKERS)
        assert (copy.label, copy.novelty, copy.augmentation) == (UNKNOWN, "heard", "partial")
        assert (copy.speaker, copy.source, copy.file) == ("ann", "mine", "a.wav")
        assert copy.snr_db == pytest.approx(60)
        assert len(copy.audio) == 8000 + len(TWO) and copy.lead_in_ms == 500
        words.add(copy.word)
        ids.add(copy.clip_id)
        talked += level_at(copy.audio, 2000) > 20 * level_at(copy.audio, 3000)
    assert words == {"toaster (beginning)", "toaster (end)", "toaster (reversed)"}
    assert keyword_clip().clip_id not in ids and len(ids) > 20
    assert 10 <= talked <= 30


def test_other_speech_is_around_a_part_and_not_in_it():
    clip = keyword_clip()
    copy = noisy_copy(clip, QUIET, STILL, generator(1, "x"), (), TALKERS, talk_around=True)
    word = active_speech(TWO, RATE)
    inside = copy.audio[8000 + word.start : 8000 + word.stop]
    outside = (copy.audio[4000:8000], copy.audio[8000 + word.stop + 2000 :][:8000])
    assert level_at(inside, 2000) < 0.01 * min(level_at(part, 2000) for part in outside)


def test_a_word_that_reads_the_same_backwards_is_not_reversed():
    words = {
        partial_copy(keyword_clip("Wow"), QUIET, STILL, generator(0, "p", number), (), TALKERS).word
        for number in range(30)
    }
    assert words == {"Wow (beginning)", "Wow (end)"}


def test_a_lead_in_of_the_clip_goes_with_the_rest_of_the_word():
    clip = keyword_clip(audio=np.concatenate([tone(4000, 9000, 0.5), TWO]), lead_in_ms=500)
    copy = partial_copy(clip, QUIET, STILL, generator(0, "p"), (), TALKERS)
    assert len(copy.audio) == len(clip.audio)
    assert level_at(copy.audio, 4000) < 1
    with pytest.raises(ValueError, match="only keywords have parts"):
        partial_copy(dataclasses.replace(clip, label=UNKNOWN), QUIET, STILL, generator(0, "p"))
