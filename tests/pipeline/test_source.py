"""Where recordings come from, and what is said when they are not there."""

import pytest

from kws.errors import KwsError
from pipeline import source
from pipeline.config import load


def test_a_folder_without_a_keyword_names_the_keyword_and_what_there_is(tmp_path):
    for word in ("down", "up", "_background_noise_"):
        (tmp_path / word).mkdir()
    config = load("quickstart", ["keywords=[down, sideways]"], tmp_path)
    with pytest.raises(KwsError, match=r"keyword sideways \(words found: down, up\)"):
        source.prepare(config, workers=1)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KwsError, match="nowhere does not exist"):
        source.folder_of(load("quickstart", data=tmp_path / "nowhere"))


def test_synthesized_speech_has_a_folder_for_each_choice_of_words(monkeypatch, tmp_path):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path))
    first = source.folder_of(load("quickstart"))
    assert first == source.folder_of(load("quickstart", ["training.epochs=3"]))
    assert first != source.folder_of(load("quickstart", ["keywords=[go, stop]"]))
    assert not list(tmp_path.iterdir())
