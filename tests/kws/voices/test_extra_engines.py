"""espeak, flite and festival as programs: real processes and WAV files, by stand-ins."""

import dataclasses
import json

import numpy as np
import pytest

from kws.errors import KwsError
from kws.splits import SPLITS
from kws.voices import corpus, engines, pronounce, render
from kws.voices.engine import Request
from kws.voices.extra_cast import extra_cast
from kws.voices.params import VoicesParams
from kws.voices.plan import plan
from tests.kws.voices import fake_programs

EVERY_PROGRAM = ("espeak-ng", "flite", "festival", "text2wave")
VOICE = {"espeak": "en-us+f1", "flite": "slt", "festival": "kal_diphone"}
EXTRA_ONLY = VoicesParams(
    keywords=("ok toaster",),
    unknown_words=("bed",),
    extra_engines=("espeak", "festival", "flite"),
    extra_takes=1,
    kokoro_takes=0,
    kokoro_unknown_takes=0,
    hibari_takes=0,
    hibari_keyword_takes=0,
    negative_sentences=(0, 0, 0),
    background_seconds=1,
)


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Installs the stand-ins; gives the log of what they read."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", fake_programs.search_path(programs))
    engines._program_version.cache_clear()
    yield fake_programs.install(programs, *EVERY_PROGRAM)
    engines._program_version.cache_clear()


@pytest.fixture
def nothing_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    engines._program_version.cache_clear()


def request(engine, text="stop", **changes):
    phonemes = pronounce.word("stop")
    return Request(engine=engine, text=text, phonemes=phonemes, voice=VOICE[engine], **changes)


@pytest.mark.parametrize("engine", sorted(VOICE))
def test_a_program_s_wav_becomes_a_clip_and_a_faster_one_is_shorter(calls, engine):
    slow, fast = (render.render(request(engine, speed=speed)) for speed in (1.0, 1.6))
    assert slow.dtype == np.int16
    assert 0.38 < len(slow) / 16000 < 0.5  # 0.4 s and the margins of trimming
    assert len(fast) / len(slow) == pytest.approx(1 / 1.6, abs=0.05)


@pytest.mark.parametrize("engine", sorted(VOICE))
def test_no_text_is_ever_a_command(calls, engine):
    text = "-o /tmp/x; $(touch oops) `id` \"' (quit)"
    render.render(request(engine, text=text))
    assert calls.read_text().endswith(f": {text}\n")


def test_a_missing_program_is_named_with_its_package(nothing_installed):
    with pytest.raises(KwsError, match="espeak needs espeak-ng or espeak") as raised:
        plan(EXTRA_ONLY)
    assert "package espeak-ng" in raised.value.hint


def test_a_program_that_fails_is_quoted(calls):
    with pytest.raises(KwsError, match=r"failed .*no such voice"):
        render.render(dataclasses.replace(request("espeak"), voice="broken"))


def test_voices_are_those_that_the_programs_name_without_foreign_and_special_ones(calls):
    held = extra_cast(EXTRA_ONLY)
    voices = {pair for split in SPLITS for pair in held[split]}
    assert {v for e, v in voices if e == "flite"} == {"kal16", "awb", "rms", "slt"}
    assert {v for e, v in voices if e == "festival"} == {"cmu_us_slt_arctic_hts", "kal_diphone"}
    assert len([v for e, v in voices if e == "espeak"]) == 18


def test_no_one_is_heard_in_two_splits_not_even_by_another_program(calls):
    held = extra_cast(EXTRA_ONLY)
    people = {"kal16": "kal", "kal_diphone": "kal", "cmu_us_slt_arctic_hts": "slt"}
    heard = {
        split: {people.get(voice, voice.rpartition("+")[2]) for _, voice in held[split]}
        for split in SPLITS
    }
    assert all(heard.values())
    assert not heard["train"] & heard["eval"]
    assert not heard["train"] & heard["test"]
    assert not heard["eval"] & heard["test"]


def test_a_corpus_of_them_names_them_and_leaves_the_others_as_they_were(calls, tmp_path):
    report = corpus.build(EXTRA_ONLY, tmp_path / "corpus", tmp_path / "cache")
    assert report.clips["train"] >= 12
    files = {path.name for path in (tmp_path / "corpus/ok toaster").iterdir()}
    assert "festival-kal_diphone_nohash_0.wav" in files
    assert {name.split("-")[0] for name in files} == {"espeak", "festival", "flite"}
    summary = json.loads((tmp_path / "corpus/corpus.json").read_text())
    assert summary["engines"]["espeak"] == "eSpeak NG text-to-speech: 1.51 glue 1"
    assert "`flite-*`" in (tmp_path / "corpus/LICENSES.md").read_text()
    without = EXTRA_ONLY.model_copy(update={"extra_engines": (), "hibari_keyword_takes": 2})
    with_extra = without.model_copy(update={"extra_engines": ("flite",)})
    assert plan(with_extra)[: len(plan(without))] == plan(without)
