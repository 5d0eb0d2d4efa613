"""Generated sentences are many, varied, and free of keywords."""

import re

import pytest

from kws.errors import KwsError
from kws.voices import phonetics, pronounce, sentences


@pytest.fixture(scope="module")
def thousand():
    return sentences.generate(1000, seed=1)


def test_they_differ_and_more_begin_with_the_fewer(thousand):
    assert len(set(thousand)) == 1000
    assert sentences.generate(50, seed=1) == thousand[:50]
    assert sentences.generate(50, seed=2) != thousand[:50]


def test_they_are_written_as_sentences(thousand):
    assert len(thousand) == 1000
    for text in thousand:
        assert re.fullmatch(r"[A-Z].*[.?]", text), text
        assert not re.search(r"[{}|]|  |\ba [aeio]", text), text


def test_they_hold_all_sounds_of_english_and_many_words(thousand):
    said = "".join(pronounce.sentence(text) for text in thousand)
    assert set("bdfhjklmnpstvwzðŋɡɹʃʒʤʧθAIOWYiuæɑɔɛɜɪʊʌə") <= set(said)
    assert len({word for text in thousand for word in re.findall(r"[a-z']+", text.lower())}) > 800


def test_every_symbol_of_the_grammar_is_defined_and_used():
    rules = sentences.grammar()
    used = {
        name for choices in rules.values() for c in choices for name in re.findall(r"{(\w+)}", c)
    }
    assert used - set(rules) == {"near"}
    assert set(rules) - used == {"sentence", "near_sentence"}


def test_no_keyword_is_heard_in_them_not_even_within_a_word_or_across_two():
    assert any("kettle" in text for text in sentences.generate(1000, seed=1))
    for text in sentences.generate(500, 1, ("kettle", "up")):
        said = pronounce.sentence(text)
        assert "kettle" not in text.lower()
        assert " up" not in text.lower()
        assert phonetics.heard_in(pronounce.word("up"), said) >= phonetics.DISTINCT


def test_near_words_are_said_in_some_of_them():
    texts = sentences.generate(200, 1, ("computer",), ("commuter", "come boot"))
    holding = [text for text in texts if re.search("commuter|come boot", text, re.IGNORECASE)]
    assert 20 < len(holding) < 100


def test_a_keyword_that_is_everywhere_is_refused():
    with pytest.raises(KwsError, match="nearly every sentence"):
        sentences.generate(20, 1, ("the", "a", "is", "was", "my", "you", "uh"))
