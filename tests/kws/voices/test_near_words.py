"""Near-words are near, tell themselves apart from the keyword, and can be said and stored."""

import re

import pytest

from kws.errors import KwsError
from kws.voices import confusables, phonetics, pronounce
from kws.voices.confusables import near_words
from kws.voices.params import VoicesParams
from kws.voices.plan import plan, planned_near_words

KEYWORDS = ("computer", "jarvis", "ok toaster", "stop")


@pytest.fixture(scope="module", params=KEYWORDS)
def keyword(request):
    return request.param


@pytest.fixture(scope="module")
def found(keyword):
    return near_words(keyword, 60, seed=1)


def test_none_is_a_keyword_or_holds_one(keyword, found):
    said = pronounce.word(keyword)
    assert len(found) == 60
    for near in found:
        assert pronounce.sounds(near.phonemes) != pronounce.sounds(said)
        assert phonetics.distance(said, near.phonemes) >= phonetics.DISTINCT
        whole = "".join(pronounce.sounds(said))
        assert whole not in "".join(pronounce.sounds(near.phonemes)), near


def test_real_words_are_nearer_than_most_words(keyword, found):
    parts = [phonetics.encode(part) for part in pronounce.word(keyword).strip(".").split()]
    known = confusables.common_words()
    nearest = [sorted(phonetics.distances(part, known.codes))[300] for part in parts]
    assert any(near.kind == "word" for near in found)
    for near in found:
        if near.kind == "word":
            code = phonetics.table([phonetics.encode(near.phonemes)])
            own = [float(phonetics.distances(part, code)[0]) for part in parts]
            assert any(a <= b for a, b in zip(own, nearest, strict=True)), near


def test_texts_and_sounds_are_unique_and_name_folders(found):
    texts = [near.text for near in found]
    assert len(set(texts)) == len({near.phonemes for near in found}) == 60
    assert all(re.fullmatch(r"[a-z0-9]['a-z0-9 ]*", text) for text in texts)
    vocabulary = set(pronounce.VOWELS) | set("bdfhjklmnpstvwzðŋɡɹʃʒʤʧθTˈˌ .")
    assert all(set(near.phonemes) <= vocabulary for near in found)


def test_the_known_confusions_are_among_them():
    texts = {near.text for near in near_words("computer", 60)}
    assert {"commuter", "compute", "computing", "computed", "compete", "pewter"} <= texts
    texts = {near.text for near in near_words("jarvis", 60)}
    assert {"service", "harvest", "nervous", "jar", "carve us"} <= texts
    texts = {near.text for near in near_words("ok toaster", 60)}
    assert {"toaster", "toast", "hey toaster", "ok mister", "toaster ok", "ok ok"} <= texts


def test_more_begin_with_the_fewer_and_the_seed_changes_the_inventions_only():
    few, many = near_words("jarvis", 20, seed=1), near_words("jarvis", 60, seed=1)
    assert many[:20] == few
    other = near_words("jarvis", 60, seed=2)
    of_kind = lambda words, kind: [near.text for near in words if near.kind == kind]  # noqa: E731
    assert of_kind(other, "nonword") != of_kind(many, "nonword")
    assert of_kind(other, "part") == of_kind(many, "part")


def test_a_near_word_of_one_keyword_is_not_another_keyword():
    params = VoicesParams(
        keywords=("left", "lift"), unknown_words=("loft",), near_words=40, kokoro_takes=0
    )
    texts = {near.text for near in planned_near_words(params)}
    assert not texts & {"left", "lift", "loft"}
    assert len(texts) > 60


def test_more_than_there_are_is_refused_with_the_number():
    with pytest.raises(KwsError, match=r"has \d+ near-words, 500"):
        near_words("stop", 500, excluded=[near.text for near in near_words("stop", 200)])


def test_in_the_plan_they_are_words_like_others_and_the_rest_stays_as_it_was():
    plain = VoicesParams(keywords=("jarvis",), unknown_words=("bed",), bulk_sentences=0)
    with_near = plain.model_copy(update={"near_words": 10, "hibari_near_word_takes": 3})
    before, after = plan(plain), plan(with_near)
    assert after[: len(before)] == before
    added = after[len(before) :]
    assert len({utterance.word for utterance in added}) == 10
    for split in ("train", "eval", "test"):
        assert {u.word for u in added if u.split == split} == {u.word for u in added}
    assert sum(u.request.engine == "hibari" for u in added) == 30


def test_a_respelling_is_ascii_and_reads_like_the_phonemes():
    assert confusables.spell("kəmpjˈuTəɹ.") == "kuhmpyooduhr"
    assert confusables.spell("hˈA ʤˈɑɹvɪs.") == "hay jahrvis"
