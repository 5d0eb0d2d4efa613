"""Sections without keywords between the words of a stream."""

import itertools

import numpy as np
import pytest

from kws.augment.seed import generator
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.negatives import interleave
from kws.scenes.params import StreamParams
from kws.scenes.stream import lay_stream
from tests.kws.scenes.test_stream import HUM, KEYWORDS, OTHERS, RATE

SECTION = np.full(5 * RATE + 77, 1234, np.int16)


@pytest.fixture(scope="module")
def plain() -> tuple[np.ndarray, GroundTruth]:
    params = StreamParams(minutes=1.5)
    return lay_stream(KEYWORDS + OTHERS, HUM, params, "s", generator(0, "s"))


@pytest.fixture(scope="module")
def mixed(plain) -> tuple[np.ndarray, GroundTruth]:
    return interleave(*plain, itertools.repeat(SECTION), every_s=20)


def test_sections_are_where_the_ground_truth_says_and_nowhere_else(mixed):
    audio, truth = mixed
    assert 2 <= len(truth.negatives) <= 4
    flat = np.zeros(len(audio), bool)
    for span in truth.negatives:
        flat[(span.start_ms + 25) * 16 : (span.end_ms - 25) * 16] = True
        assert span.end_ms - span.start_ms == pytest.approx(5005, abs=2)
    assert (audio[flat] == 1234).all()
    assert (audio[~flat] == 1234).sum() < 3000  # the faded edges, and chance
    assert truth.duration_ms == len(audio) // 16


def test_the_words_are_those_of_before_with_their_sound_and_clear_of_every_section(plain, mixed):
    audio, truth = mixed
    assert [word.clip_id for word in truth.words] == [word.clip_id for word in plain[1].words]
    for before, after in zip(plain[1].words, truth.words, strict=True):
        assert after.end_ms - after.start_ms == before.end_ms - before.start_ms
        # To a millisecond: a section is no whole number of them.
        said = plain[0][before.start_ms * 16 : before.end_ms * 16]
        near = audio[after.start_ms * 16 - 16 : after.end_ms * 16 + 16]
        windows = np.lib.stride_tricks.sliding_window_view(near, len(said))
        assert (windows == said).all(axis=1).any()
        for span in truth.negatives:
            assert after.end_ms + 500 < span.start_ms or span.end_ms < after.start_ms - 500


def test_between_two_sections_there_are_words_for_as_long_as_asked(mixed):
    spans = mixed[1].negatives
    assert spans[0].start_ms >= 20_000
    assert all(b.start_ms - a.end_ms >= 20_000 - 1 for a, b in itertools.pairwise(spans))


def test_no_section_is_heard_twice_and_without_any_nothing_changes(plain):
    once = interleave(*plain, iter([SECTION]), every_s=20)
    assert len(once[1].negatives) == 1 and len(once[0]) == len(plain[0]) + len(SECTION)
    audio, truth = interleave(*plain, iter(()), every_s=20)
    assert audio is plain[0] and truth == plain[1]
