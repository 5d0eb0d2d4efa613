"""What counts as a keyword that is said in a transcript."""

import pytest

from kws.corpus.index import KeywordFinder, sounds


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("computer", "ASK THE COMPUTER"),
        ("computer", "the computers' fans, the computer's fans"),
        ("no", "I KNOW IT"),
        ("right", "TO WRITE A LETTER"),
        ("ok toaster", "SHE SAID O K TOASTER AND LEFT"),
        ("okay toaster", "ok, toaster!"),
        ("up", "Up."),
        ("hey jarvis", "HEY JARVIS’S FRIEND"),
    ],
)
def test_a_keyword_is_found_however_it_is_spelled_inflected_or_divided(keyword, text):
    assert KeywordFinder([keyword]).find(text, sounds(text)) == keyword


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("no", "NOBODY NOTICED THE NORTH"),
        ("go", "A GOOD GOAT"),
        ("ok toaster", "OK THE TOASTER"),
        ("computer", "to compute a commuter"),
        ("up", ""),
    ],
)
def test_a_word_that_only_begins_like_a_keyword_stays(keyword, text):
    assert KeywordFinder([keyword]).find(text, sounds(text)) is None


def test_the_keyword_that_is_said_is_named_and_a_foreign_one_is_found_by_spelling():
    finder = KeywordFinder(["yes", "привет"])
    assert finder.find("OH YES", sounds("OH YES")) == "yes"
    assert finder.find("Привет!", sounds("Привет!")) == "привет"
