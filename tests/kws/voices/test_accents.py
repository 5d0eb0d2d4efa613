"""A keyword in the accents of those who will say it."""

import pytest

from kws.voices.accents import accents
from kws.voices.params import VoicesParams
from kws.voices.plan import plan
from kws.voices.pronounce import word


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        (
            "computer",
            ("kəmpjˈuTəɹ.", "kəmpjˈutəɹ.", "kəmpjˈutə.", "kɔmpjˈutɛɹ.", "kˈɔmpjˌutˌɛɹ."),
        ),
        ("jarvis", ("ʤˈɑɹvɪs.", "ʤˈɑːvɪs.", "ʤˈɑɹvˌɪs.")),
        ("start here", ("stˈɑɹt hˈɪɹ.", "stˈɑːt hˈɪə.")),
        ("hello kitchen", ("həlˈO kˈɪʧᵊn.", "hɛlˈO kˈɪʧɛn.", "hˈɛlˌO kˈɪʧˌɛn.")),
        ("banana tree", ("bənˈænə tɹˈi.", "bɑnˈænɑ tɹˈi.", "bˈɑnˌænˌɑ tɹˈi.")),
    ],
)
def test_a_word_is_said_in_the_accents_of_english(text, spoken):
    assert accents(word(text), text) == spoken


def test_where_letters_do_not_tell_the_vowel_it_is_an_open_one():
    # Three vowels are spelled, two are said.
    assert accents("kˈæmɹə.", "camera")[1] == "kˈæmɹʌ."


@pytest.mark.parametrize("text", ["left", "right", "stop", "hey robot"])
def test_a_word_that_all_say_alike_has_one_pronunciation(text):
    assert accents(word(text), text) == (word(text),)


def said(accents: bool) -> dict[str, set[str]]:
    params = VoicesParams(
        keywords=("computer",),
        unknown_words=("water",),
        kokoro_takes=3,
        kokoro_unknown_takes=3,
        hibari_keyword_takes=6,
        negative_sentences=(0, 0, 0),
        accents=accents,
    )
    phonemes: dict[str, set[str]] = {}
    for utterance in plan(params):
        phonemes.setdefault(f"{utterance.split} {utterance.word}", set()).add(
            utterance.request.phonemes
        )
    return phonemes


def test_keywords_are_said_in_every_accent_in_every_split_and_other_words_are_not():
    plain, varied = said(accents=False), said(accents=True)
    for split in ("train", "eval", "test"):
        assert plain[f"{split} computer"] == {word("computer")}
        assert varied[f"{split} computer"] == set(accents(word("computer"), "computer"))
        assert varied[f"{split} water"] == {word("water")}
