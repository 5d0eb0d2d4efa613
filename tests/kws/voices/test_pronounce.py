"""Words are said as on their own, and what cannot be said is named."""

import pytest

from kws.errors import KwsError
from kws.voices import pronounce


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("up", "ˈʌp."),  # secondary in running text
        ("go", "ɡˈO."),
        ("you", "jˈu."),  # unstressed in running text
        ("stop", "stˈɑp."),  # as it was
        ("xylophone", "zˈIləfˌOn."),  # has a primary already: the secondary stays
        ("hey house", "hˈA hˈWs."),
    ],
)
def test_a_word_alone_has_primary_stress_and_ends_with_a_full_stop(text, phonemes):
    assert pronounce.word(text) == phonemes


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("st\x00op", "control character U\\+0000"),
        ("go\n", "control character U\\+000A"),
        ("日本", "English only"),
        ("a/b", "is not said"),
        ("---", "cannot be said"),
        ("Öffne die Tür", "contains 'Ö': the voices read English only, and 'Öffne' is not"),
        ("O\u0308ffne", "'Öffne' is not an English word"),
        ("ligar a luz já", "contains 'á'"),
    ],
)
def test_what_cannot_be_said_is_named_in_one_line(text, complaint):
    with pytest.raises(KwsError, match=complaint) as raised:
        pronounce.word(text)
    assert "\n" not in str(raised.value)


def test_homophones_sound_the_same():
    assert pronounce.sounds(pronounce.word("too")) == pronounce.sounds(pronounce.word("two"))
    assert pronounce.sounds(pronounce.word("two")) != pronounce.sounds(pronounce.word("tree"))


def test_english_words_with_accents_are_english_in_either_unicode_form():
    assert pronounce.word("café") == pronounce.word("cafe\u0301")
    assert pronounce.word("naïve") and pronounce.word("a café’s résumé")


def test_words_that_are_only_guessed_at_are_named():
    assert pronounce.guessed("licht an") == ["licht"]
    assert pronounce.guessed("hey Zorblax, ok") == ["Zorblax,"]
    assert pronounce.guessed("don't turned-off lights beeping 42 OK Alexa.") == []
