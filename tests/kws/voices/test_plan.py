"""Voices are split, never shared; the plan is the same each time."""

import re

import numpy as np
import pydantic
import pytest

from kws.errors import KwsError
from kws.splits import SPLITS
from kws.voices import kokoro_engine
from kws.voices.params import VoicesParams
from kws.voices.plan import SENTENCES_FILE, plan, sentences
from kws.voices.speaker_splits import cast, speakers

SPEECH_COMMANDS = (
    *("backward", "bed", "bird", "cat", "dog", "down", "eight", "five", "follow", "forward"),
    *("four", "go", "happy", "house", "learn", "left", "marvin", "nine", "no", "off", "on"),
    *("one", "right", "seven", "sheila", "six", "stop", "three", "tree", "two", "up", "visual"),
    *("wow", "yes", "zero"),
)


@pytest.fixture(scope="module")
def params():
    return VoicesParams(keywords=("yes", "stop"), unknown_words=("bed", "stop", "tree"))


@pytest.fixture(scope="module")
def utterances(params):
    return plan(params)


def people(utterance):
    """Who is heard: for a mix both its voices; hibari is Kokoro's af_heart."""
    if utterance.request.engine == "hibari":
        return {"af_heart"}
    return set(re.sub(r"\d", "", utterance.request.voice).split("+"))


def test_no_voice_is_heard_in_two_splits_not_even_inside_a_mix(utterances):
    heard = {
        split: set().union(*(people(u) for u in utterances if u.split == split)) for split in SPLITS
    }
    assert all(heard.values())
    assert not heard["train"] & heard["eval"]
    assert not heard["train"] & heard["test"]
    assert not heard["eval"] & heard["test"]


def test_the_same_person_s_spanish_and_portuguese_voice_stay_in_training():
    names = kokoro_engine.voices()
    timbre = np.stack([kokoro_engine.style(name)[kokoro_engine.TIMBRE] for name in names])
    timbre /= np.linalg.norm(timbre, axis=1, keepdims=True)
    alike = np.argwhere(np.triu(timbre @ timbre.T, 1) > 0.96)
    training = cast(VoicesParams(keywords=("yes",)))["train"]
    assert len(alike) == 3
    assert all(names[i] in training for i in alike.ravel())


def test_more_eval_voices_keep_those_that_were_there():
    few = cast(VoicesParams(keywords=("yes",), eval_voices=3, mixes=0, eval_mixes=0))
    many = cast(VoicesParams(keywords=("yes",), eval_voices=8, mixes=0, eval_mixes=0))
    assert set(few["eval"]) < set(many["eval"])
    assert few["test"] == many["test"]


def test_speakers_asked_for_are_single_voices_first_and_then_mixes():
    few = cast(VoicesParams(keywords=("yes",), speakers=5))["train"]
    many = cast(VoicesParams(keywords=("yes",), speakers=200))["train"]
    assert many[:5] == few
    assert len(set(many)) == 200
    assert ["+" in voice for voice in many] == sorted("+" in voice for voice in many)
    assert speakers(100)[:45] == speakers(45)
    assert sorted(speakers(45)) == list(kokoro_engine.voices())


def test_more_speakers_than_voices_and_pairs_are_refused_with_the_most_there_are():
    most = cast(VoicesParams(keywords=("yes",), speakers=29 * 29))["train"]
    assert len(set(most)) == 841
    with pytest.raises(KwsError, match="make only 841"):
        cast(VoicesParams(keywords=("yes",), speakers=842))
    with pytest.raises(KwsError, match="make only 2025"):
        speakers(2026)


def test_both_sexes_are_heard_in_every_split(params):
    by_split = cast(params)
    assert set(by_split) == {"train", "eval", "test"}
    for voices in by_split.values():
        assert {voice[1] for voice in voices if "+" not in voice} == {"f", "m"}


def test_equal_params_give_equal_plans_and_another_seed_other_speeds(params, utterances):
    assert plan(params) == utterances
    other = plan(params.model_copy(update={"seed": 1}))
    assert [u.request.speed for u in other] != [u.request.speed for u in utterances]


def test_every_word_is_heard_in_every_split_and_keywords_are_no_unknown_words(utterances):
    for split in SPLITS:
        words = {u.word for u in utterances if u.split == split and u.kind == "word"}
        assert words == {"yes", "stop", "bed", "tree"}
    names = [(u.word, u.speaker, u.take) for u in utterances if u.kind == "word"]
    assert len(set(names)) == len(names)


def test_sentences_hold_none_of_the_speech_commands_words():
    said = set(re.findall(r"[a-z']+", SENTENCES_FILE.read_text().lower()))
    assert not said & {*SPEECH_COMMANDS, "computer", "jarvis", "alexa", "hey"}
    assert len(sentences(SPEECH_COMMANDS)) == len(sentences(("computer",))) >= 120


def test_a_sentence_with_a_keyword_or_its_homophone_is_left_out():
    everything = sentences(("computer",))
    kept = sentences(("kettle", "sauce pan", "bored"))
    assert [line for line in everything if line not in kept] == [everything[0]]
    assert "The kettle is" in everything[0]
    assert len(sentences(("coffey",))) == len(sentences(("coffee",))) < len(everything)


def test_mixes_take_timbre_from_the_first_voice_and_prosody_from_the_second():
    a, b = kokoro_engine.style("af_bella"), kokoro_engine.style("am_puck")
    swapped = kokoro_engine.style("af_bella+am_puck")
    np.testing.assert_array_equal(swapped, [*a[:128], *b[128:]])
    np.testing.assert_allclose(
        kokoro_engine.style("af_bella60+am_puck40"), 0.6 * a + 0.4 * b, rtol=1e-5
    )


@pytest.mark.parametrize(
    "voice", ["af_river", "af_bella120+am_puck-20", "af_bella60+am_puck50", "a+b", "", "af_bella60"]
)
def test_left_out_voices_and_extrapolation_are_refused(voice):
    with pytest.raises(KwsError, match="Kokoro voice"):
        kokoro_engine.style(voice)


def test_impossible_params_are_refused_with_what_would_be_right():
    with pytest.raises(pydantic.ValidationError, match="at least 17 is needed"):
        VoicesParams(keywords=("yes",), max_voices=16)
    with pytest.raises(pydantic.ValidationError, match="speed"):
        VoicesParams(keywords=("yes",), speed=(1.2, 0.8))
    with pytest.raises(KwsError, match="mixes are asked for in eval"):
        cast(VoicesParams(keywords=("yes",), eval_voices=2, eval_mixes=3))
    with pytest.raises(pydantic.ValidationError, match="'_yes' cannot be a word"):
        VoicesParams(keywords=("_yes",))


def test_a_word_that_sounds_like_a_keyword_is_refused():
    with pytest.raises(KwsError, match="'write' sounds like the keyword 'right'"):
        plan(VoicesParams(keywords=("left", "right"), unknown_words=("house", "write")))
    unknown = ("house", "write", "all right", "rightly")
    dropping = VoicesParams(keywords=("left", "right"), unknown_words=unknown, homophones="drop")
    words = {utterance.word for utterance in plan(dropping) if utterance.kind == "word"}
    assert words == {"left", "right", "house", "rightly"}


def test_generated_sentences_are_said_by_every_voice_of_their_split_in_turn():
    params = VoicesParams(keywords=("yes",), kokoro_sentences=(150, 20, 9), mixes=4, eval_mixes=2)
    voices = cast(params)
    said = [u for u in plan(params) if u.kind == "generated"]
    for split, count in zip(SPLITS, params.kokoro_sentences, strict=True):
        mine = [u for u in said if u.split == split]
        assert len({u.word for u in mine}) == len(mine) == count
        assert {u.request.voice for u in mine} == set(voices[split][:count])
        assert {u.request.engine for u in mine} == {"kokoro"}
    texts = {split: {u.word for u in said if u.split == split} for split in SPLITS}
    assert not texts["train"] & (texts["eval"] | texts["test"])
    assert not any("yes" in re.findall(r"\w+", u.word.lower()) for u in said)
    more = params.model_copy(update={"kokoro_sentences": (160, 20, 9), "bulk_sentences": 5})
    assert {u.request for u in said} < {u.request for u in plan(more)}
