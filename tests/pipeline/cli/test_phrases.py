"""Phrases that are typed become a configuration."""

import pytest

from kws.errors import KwsError
from kws.voices.plan import plan
from pipeline.cli import main, phrases
from pipeline.config import load


@pytest.mark.parametrize(
    ("keywords", "name"),
    [
        (["ok toaster"], "ok-toaster"),
        (["Hey Jarvis", "stop"], "hey-jarvis-stop"),
        (["café"], "cafe"),
        (["don't panic"], "don-t-panic"),
        (["a" * 60], "a" * 40),
    ],
)
def test_the_name_is_made_of_the_phrase(keywords, name):
    assert phrases.name_of(keywords) == name


def test_a_phrase_is_all_that_the_preset_needs():
    config = load("keyword", phrases.overrides(["  hey   jarvis "]))
    assert config.keywords == config.voices.keywords == config.ingest.keywords == ("hey jarvis",)
    assert config.name == "hey-jarvis"
    assert config.voices.accents


@pytest.mark.parametrize("phrase", ["write", "hello", "music", "yes"])
def test_unknown_words_that_sound_like_the_phrase_or_hold_it_are_dropped(phrase):
    config = load("keyword", [*phrases.overrides([phrase]), "voices.bulk_sentences=0"])
    assert {"right", "hello", "play some music", "yes"} <= set(config.voices.unknown_words)
    words = {utterance.word for utterance in plan(config.voices) if utterance.kind == "word"}
    others = words - {phrase}
    assert "window" in others
    assert (
        not others
        & {
            "write": {"right", "all right"},
            "hello": {"hello"},
            "music": {"music", "play some music"},
            "yes": {"yes"},
        }[phrase]
    )


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["ok/toaster"], "is not said"),
        ([""], "is empty"),
        (["_silence_"], "cannot name a folder"),
        (["right", "write"], "sound the same"),
        (["日本"], "English only"),
    ],
)
def test_what_cannot_be_a_keyword_is_refused(typed, complaint):
    with pytest.raises(KwsError, match=complaint):
        phrases.overrides(typed)


def test_a_phrase_too_long_for_a_clip_is_refused_with_what_to_set():
    phrases.check_length(["ok toaster", "hey jarvis"], max_word_ms=1400)
    with pytest.raises(KwsError, match=r"takes \d\.\d s to say") as raised:
        phrases.check_length(["would you kindly turn on all the lights"], max_word_ms=1400)
    assert "--set clip_duration_ms=" in raised.value.hint
    phrases.check_length(["would you kindly turn on all the lights"], max_word_ms=0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--keyword", "ok/toaster"], "contains '/'"),
        (["run", "--keyword", "ok toaster", "--set", "training.epochs=0"], "training.epochs"),
        (["run", "--keyword", "please turn on all of the lights in here"], "takes"),
        (["say", "ok?toaster"], "contains '?'"),
        (["say", "toaster", "--speed", "2", "1"], "must rise"),
    ],
)
def test_on_the_command_line_an_error_is_one_sentence(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 1
    error = capsys.readouterr().err
    assert sentence in error and "Traceback" not in error


def test_a_word_that_no_english_dictionary_has_is_warned_of():
    assert phrases.spelling_note(["ok toaster", "stop"]) == ""
    note = phrases.spelling_note(["licht an"])
    assert note.startswith("licht: not in the English dictionary") and 'kws say "licht an"' in note
