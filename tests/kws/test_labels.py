"""Words are compared as people read them; what only looks like a keyword is refused."""

import unicodedata

import pydantic
import pytest

from kws.corpus.params import IngestParams
from kws.corpus.sources import SourceParams
from kws.errors import KwsError
from kws.labels import UNKNOWN, check_keywords, label_of, near_match, refuse_near_matches

NFC, NFD = (unicodedata.normalize(form, "öffnen") for form in ("NFC", "NFD"))
KEYWORDS = ("yes", NFC, "ok toaster")


def test_a_word_in_another_unicode_form_is_the_keyword():
    assert NFC != NFD
    assert label_of(NFD, KEYWORDS) == NFC and near_match(NFD, KEYWORDS) is None
    assert label_of(NFC, (NFD,)) == NFD  # as the labels of a model spell it
    assert label_of("Yes", KEYWORDS) == UNKNOWN


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("Yes", "yes"),
        ("YES", "yes"),
        ("yes ", "yes"),
        (" yes", "yes"),
        ("yes\u00a0", "yes"),
        ("ye\u200bs", "yes"),
        ("\ufeffyes", "yes"),
        ("yes\u00ad", "yes"),
        ("yes\ufe0f", "yes"),
        ("ｙｅｓ", "yes"),
        ("ye\u017f", "yes"),  # long s
        (NFD.upper(), NFC),
        ("ok  toaster", "ok toaster"),
        ("OK_Toaster", "ok toaster"),
        ("ok-toaster", "ok toaster"),
        ("_Unknown_", "_unknown_"),
        ("_background_noise_ ", "_background_noise_"),
        ("_NEGATIVES_", "_negatives_"),
    ],
)
def test_what_differs_by_case_space_or_what_nobody_sees_is_a_near_match(word, meant):
    assert near_match(word, KEYWORDS) == meant
    with pytest.raises(KwsError, match="did you mean") as refused:
        refuse_near_matches({word: "data/x.wav"}, KEYWORDS)
    assert "data/x.wav" in refused.value.message and repr(meant) in refused.value.message


@pytest.mark.parametrize(
    "word",
    ["yes", NFC, NFD, "yeah", "ye s", "oktoaster", "unknown", "silence", "offnen", "_x_", ""],
)
def test_other_words_and_the_keywords_themselves_are_not(word):
    assert near_match(word, KEYWORDS) is None
    assert near_match("unknown", ("_silence_", "_unknown_", "yes")) is None


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (("yes", "no", "yes"), "twice"),
        ((NFC, NFD), "twice"),
        (("yes", "Yes"), "look alike"),
        (("yes ",), "begins or ends with a space: write 'yes'"),
    ],
)
def test_keywords_that_nobody_could_tell_apart_are_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        check_keywords(keywords)
    with pytest.raises(pydantic.ValidationError, match=message):
        IngestParams(keywords=keywords)


def test_positives_that_look_alike_are_refused():
    with pytest.raises(pydantic.ValidationError, match="look alike"):
        SourceParams(positives={"yes": "/x", "Yes": "/y"})


def test_keywords_and_positives_are_kept_in_one_form():
    assert IngestParams(keywords=(NFD,)).keywords == (NFC,)
    assert list(SourceParams(positives={NFD: "/x"}).positives) == [NFC]
