"""espeak-ng's voices, by the real program."""

import dataclasses
import json
import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from kws.errors import KwsError
from kws.splits import SPLITS
from kws.voices import corpus, engines, pronounce, render
from kws.voices.engine import Request
from kws.voices.params import VoicesParams
from kws.voices.plan import plan
from kws.voices.speaker_splits import extra_cast

needs_espeak = pytest.mark.skipif(
    not shutil.which("espeak-ng"), reason="espeak-ng is not installed"
)
EXTRA_ONLY = VoicesParams(
    keywords=("ok toaster",),
    unknown_words=("bed",),
    extra_engines=("espeak",),
    extra_takes=1,
    kokoro_takes=0,
    kokoro_unknown_takes=0,
    hibari_takes=0,
    hibari_keyword_takes=0,
    negative_sentences=(0, 0, 0),
    background_seconds=1,
)


def request(text="stop", **changes):
    return Request(
        engine="espeak", text=text, phonemes=pronounce.word("stop"), voice="en-us+f1", **changes
    )


@needs_espeak
@pytest.mark.parametrize(
    "text", ["ok toaster", "-o /tmp/x; $(touch oops) `id` \"' (quit)", "--version"]
)
def test_the_program_says_the_text_and_nothing_in_it_is_a_command(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = engines.load("espeak").say(request(text))
    subprocess.run(
        ["espeak-ng", "--stdin", "-v", "en-us+f1", "-s", "165", "-w", "expected.wav"],
        input=text + "\n", text=True, check=True,
    )  # fmt: skip
    expected, rate = soundfile.read("expected.wav", dtype="float32")
    assert engines.load("espeak").sample_rate == rate
    assert np.array_equal(said, expected) and abs(said).max() > 0.1
    assert [path.name for path in tmp_path.iterdir()] == ["expected.wav"]


@needs_espeak
def test_a_clip_at_twice_the_speed_is_shorter():
    slow, fast = (render.render(request(speed=speed)) for speed in (0.8, 1.6))
    assert slow.dtype == np.int16
    assert 0.2 < len(slow) / 16000 < 1.2
    assert 0.35 < len(fast) / len(slow) < 0.75  # pauses and the trimmed margins do not scale


@needs_espeak
def test_an_unknown_voice_is_an_error_that_quotes_the_program():
    with pytest.raises(KwsError, match=r"failed .*voice does not exist"):
        render.render(dataclasses.replace(request(), voice="broken"))


def test_a_missing_program_is_named_with_its_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    engines._program_version.cache_clear()
    with pytest.raises(KwsError, match="espeak needs espeak-ng or espeak") as raised:
        plan(EXTRA_ONLY)
    assert "package espeak-ng" in raised.value.hint


@needs_espeak
def test_every_voice_is_one_that_the_program_knows():
    held = extra_cast(EXTRA_ONLY)
    voices = {voice for split in SPLITS for _, voice in held[split]}
    assert len(voices) == 18
    listed = [
        subprocess.run(["espeak-ng", option], capture_output=True, text=True, check=True).stdout
        for option in ("--voices", "--voices=variant")
    ]
    accents = {line.split()[1] for line in listed[0].splitlines()[1:]}
    variants = {line.split()[-1].rpartition("/")[2] for line in listed[1].splitlines()[1:]}
    for voice in voices:
        accent, _, variant = voice.partition("+")
        assert accent in accents and variant in variants


@needs_espeak
def test_a_vocal_tract_is_in_one_split_whatever_its_accent():
    held = extra_cast(EXTRA_ONLY)
    tracts = [{voice.partition("+")[2] for _, voice in held[split]} for split in SPLITS]
    assert all(tracts) and sum(map(len, tracts)) == len(set.union(*tracts)) == 6


@needs_espeak
def test_a_corpus_of_them_names_them_and_leaves_the_others_as_they_were(tmp_path):
    report = corpus.build(EXTRA_ONLY, tmp_path / "corpus", tmp_path / "cache")
    assert report.clips["train"] >= 6
    files = {path.name for path in (tmp_path / "corpus/ok toaster").iterdir()}
    assert {name.split("-")[0] for name in files} == {"espeak"}
    summary = json.loads((tmp_path / "corpus/corpus.json").read_text())
    assert summary["engines"]["espeak"].startswith("eSpeak NG text-to-speech: 1.")
    assert "`espeak-*`" in (tmp_path / "corpus/LICENSES.md").read_text()
    without = EXTRA_ONLY.model_copy(update={"extra_engines": (), "hibari_keyword_takes": 2})
    with_extra = without.model_copy(update={"extra_engines": ("espeak",)})
    assert plan(without) and plan(with_extra)[: len(plan(without))] == plan(without)
