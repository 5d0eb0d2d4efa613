"""Recordings in a bucket: memory has the bucket's scheme in these tests."""

import numpy as np
import pytest
import soundfile
from tfx.dsl.io import fileio

from components import staging
from components.audio_example_gen.ingest import Inspect
from kws.audio.container import Unreadable
from kws.corpus.folders import Corpus
from kws.corpus.params import IngestParams


@pytest.fixture
def bucket(tmp_path, monkeypatch) -> str:
    """`mem://` is a folder of this machine."""
    opened = fileio.open

    def open_(path, mode="r"):
        return opened(path.replace("mem://", f"{tmp_path}/"), mode)

    monkeypatch.setattr(fileio, "open", open_)
    noise = np.random.default_rng(0).normal(0, 0.1, 16000)
    (tmp_path / "yes").mkdir()
    soundfile.write(tmp_path / "yes" / "1.wav", noise, 16000)
    return "mem://"


def test_a_small_recording_is_fetched_and_a_large_one_is_not(bucket, monkeypatch):
    assert len(staging.short_recording(f"{bucket}yes/1.wav").read()) == 32044
    monkeypatch.setattr(staging, "MAX_SHORT_BYTES", 32043)
    with pytest.raises(Unreadable, match="too_long: more than 32,043 bytes"):
        staging.short_recording(f"{bucket}yes/1.wav")


def test_a_large_one_costs_its_word_and_not_the_run(bucket, monkeypatch):
    monkeypatch.setattr(staging, "MAX_SHORT_BYTES", 1000)
    params = IngestParams(keywords=["yes"])
    inspect = Inspect(Corpus.of_folder("mem:/"), params.to_json())
    inspect.setup()
    assert inspect._inspect_word("yes/1.wav").reason == "too_long"
