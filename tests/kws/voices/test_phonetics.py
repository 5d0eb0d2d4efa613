"""Distances say what a listener would, and syllables are those of a dictionary."""

import numpy as np
import pytest

from kws.voices import phonetics, pronounce


def distance(first, second):
    return phonetics.distance(pronounce.word(first), pronounce.word(second))


@pytest.mark.parametrize(
    ("first", "second"),
    [("write", "right"), ("caught", "cot"), ("metal", "medal"), ("latter", "ladder")],
)
def test_what_english_speakers_do_not_keep_apart_is_no_distance(first, second):
    assert distance(first, second) == pytest.approx(0)


@pytest.mark.parametrize(
    ("first", "second"), [("ship", "sheep"), ("three", "free"), ("sport", "support")]
)
def test_what_many_mishear_is_not_distinct(first, second):
    assert 0 < distance(first, second) < phonetics.DISTINCT


@pytest.mark.parametrize(
    ("word", "near", "far"),
    [
        ("computer", "commuter", "banana"),
        ("stop", "shop", "lamp"),
        ("pan", "ban", "ran"),  # voicing alone, against place and manner
        ("tip", "kip", "whip"),
        ("bit", "bet", "boat"),
    ],
)
def test_nearer_articulation_is_nearer(word, near, far):
    assert distance(word, near) < distance(word, far)


def test_distance_is_symmetric_and_obeys_the_triangle_of_edits():
    words = ("computer", "commuter", "toaster", "jarvis", "service", "stop")
    table = np.array([[distance(a, b) for b in words] for a in words])
    np.testing.assert_allclose(table, table.T, rtol=1e-5)
    assert (np.diag(table) == 0).all()
    assert (table[:, None] <= table[:, :, None] + table[None] + 1e-5).all()


def test_many_words_at_once_get_the_distances_that_each_gets_alone():
    words = ("no", "computer", "a", "strengths", "commuter")
    codes = phonetics.table([phonetics.encode(pronounce.word(word)) for word in words])
    at_once = phonetics.distances(phonetics.encode(pronounce.word("computer")), codes)
    np.testing.assert_allclose(at_once, [distance("computer", word) for word in words], rtol=1e-6)


def test_a_word_is_heard_inside_another_and_across_words():
    keyword = pronounce.word("computer")
    assert phonetics.heard_in(keyword, pronounce.sentence("Old supercomputers are slow.")) == 0
    assert phonetics.heard_in(keyword, pronounce.sentence("They come, pewter in hand.")) < 0.15
    assert phonetics.heard_in(keyword, pronounce.sentence("Buses are slow.")) > 1


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("computer", ["kəm", "pjˈu", "Təɹ"]),
        ("toaster", ["tˈO", "stəɹ"]),
        ("singing", ["sˈɪŋ", "ɪŋ"]),  # ŋ begins no syllable
        ("extra", ["ˈɛk", "stɹə"]),
        ("stop", ["stˈɑp"]),
    ],
)
def test_syllables_begin_with_the_longest_english_onset(word, parts):
    said = pronounce.word(word)
    assert phonetics.syllabify(said) == parts
    assert "".join(parts) + "." == said
