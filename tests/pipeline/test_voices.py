"""A run says which synthesized clips were dropped, or that none was."""

import json

import numpy as np
import pytest

from kws.voices.render import ClipCache
from pipeline import resolve
from pipeline.config import load


@pytest.fixture
def corpus_with(tmp_path, monkeypatch):
    """Writes what a corpus says of dropped clips, and gives its configuration."""
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))

    def write(dropped, *overrides):
        config = load("quickstart", overrides)
        folder = resolve.voices_folder(config)
        folder.mkdir(parents=True)
        (folder / "corpus.json").write_text(json.dumps({"dropped": dropped}))
        return config

    return write


CLIP = {
    "word": "yes", "file": "yes/a_nohash_0.wav", "key": "ab" * 32, "milliseconds": 500,
    "score": 0.3, "threshold": 0.2, "like_file": "yes/b_nohash_0.wav", "like_key": "cd" * 32,
    "like_milliseconds": 600,
}  # fmt: skip


def test_a_page_is_written_where_clips_were_dropped(corpus_with, tmp_path):
    config = corpus_with([CLIP])
    cache = ClipCache(tmp_path / "cache" / "voices")
    for key in (CLIP["key"], CLIP["like_key"]):
        cache.put(key, np.full(8000, 100, np.int16))
    said = resolve.write_dropped_clips(config, tmp_path / "run")
    assert "dropped: 1 of “yes”" in said
    assert (tmp_path / "run/dropped_clips.html").read_text().count("<audio") == 2


def test_where_none_was_dropped_it_is_said_and_the_page_of_before_goes(corpus_with, tmp_path):
    config = corpus_with([])
    (tmp_path / "dropped_clips.html").write_text("of an earlier run")
    assert resolve.write_dropped_clips(config, tmp_path) == (
        "No synthesized clip of a keyword was dropped"
    )
    assert not (tmp_path / "dropped_clips.html").exists()


def test_nothing_is_said_of_recordings_or_where_nothing_was_judged(corpus_with, tmp_path):
    assert resolve.write_dropped_clips(load("quickstart", (), tmp_path), tmp_path) is None
    config = corpus_with(None, "voices.drop_outliers=false")
    assert resolve.write_dropped_clips(config, tmp_path) is None


def test_few_clips_are_not_judged():
    assert resolve._judge([np.zeros(8000, np.int16)] * 7) is None
