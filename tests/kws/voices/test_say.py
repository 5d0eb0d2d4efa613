"""`kws say`: a folder to listen to, and nobody else's files touched."""

import csv
import shutil

import numpy as np
import pytest
import soundfile

from kws.errors import KwsError
from kws.voices import engines, say


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch):
    """Instead of Kokoro: a tone as long as the phonemes; its files need not be listened to."""

    class Tone:
        name = "kokoro"
        sample_rate = 16000

        def say(self, request):
            count = int(800 * len(request.phonemes) / request.speed)
            return 0.3 * np.sin(0.2 * np.arange(count), dtype=np.float32)

    monkeypatch.setattr(engines, "load", lambda name: Tone())


@pytest.fixture
def speak(tmp_path):
    def speak(text="ok toaster", voices=3, folder=tmp_path / "said", **options):
        return say.say(text, folder, voices, cache_dir=tmp_path / "cache", **options)

    return speak


def rows(folder):
    with (folder / say.LISTING_FILE).open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_each_voice_has_a_file_and_each_file_a_row(speak):
    said = speak(voices=50, near=4, speed=(0.8, 1.2))
    listed = rows(said.folder)
    files = {str(path.relative_to(said.folder)) for path in said.folder.rglob("*.wav")}
    assert {row["file"] for row in listed} == files
    assert said.files == len(files) == 54
    assert len({row["voice"] for row in listed if row["kind"] == "phrase"}) == 50
    near = [row for row in listed if row["kind"] != "phrase"]
    assert all(row["file"] == f"near-words/{row['text']}__{row['voice']}.wav" for row in near)
    assert all(0.8 <= float(row["speed"]) <= 1.2 for row in listed)
    for row in listed[:3]:
        info = soundfile.info(said.folder / row["file"])
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
        assert int(row["milliseconds"]) == info.frames // 16
    assert said.audio_s == pytest.approx(
        sum(int(r["milliseconds"]) for r in listed) / 1000, abs=0.1
    )
    assert "Apache" in (said.folder / say.README_FILE).read_text()


def test_said_again_its_own_files_are_replaced_and_others_stay(speak):
    folder = speak(voices=5, near=2).folder
    (folder / "mine.wav").write_bytes(b"mine")
    assert speak("stop", voices=2).files == 2
    assert len(list(folder.rglob("*.wav"))) == 3
    assert (folder / "mine.wav").read_bytes() == b"mine"


def test_a_folder_that_holds_something_else_is_refused_before_anything_is_said(speak, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "voices.csv").write_text("name,phone\n")
    with pytest.raises(KwsError, match="not written by kws say"):
        speak(folder=other)
    assert [path.name for path in other.iterdir()] == ["voices.csv"]
    assert not (tmp_path / "cache").exists()


def test_a_listing_that_was_tampered_with_deletes_nothing_outside(speak, tmp_path):
    folder = speak(voices=1).folder
    (tmp_path / "precious.txt").write_text("precious")
    with (folder / say.LISTING_FILE).open("a") as file:
        file.write("../precious.txt,a,phrase,kokoro,x,1,1\n")
    speak(voices=1)
    assert (tmp_path / "precious.txt").exists()


def test_a_file_of_somebody_else_under_a_voice_s_name_is_not_overwritten(speak):
    folder = speak(voices=1).folder
    second = say.speaker_splits.speakers(2)[1]
    (folder / f"{second}.wav").write_bytes(b"mine")
    with pytest.raises(KwsError, match="not ours"):
        speak(voices=2)
    assert (folder / f"{second}.wav").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("text", "voices", "complaint"),
    [("ok/toaster", 1, "is not said"), ("日本", 1, "English only"), ("stop", 9999, "only 2025")],
)
def test_what_cannot_be_said_is_refused(speak, text, voices, complaint):
    with pytest.raises(KwsError, match=complaint):
        speak(text, voices)


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
def test_espeak_says_it_with_the_voices_that_it_has(speak):
    folder = speak(voices=20, engine="espeak").folder
    voices = {row["voice"] for row in rows(folder)}
    assert len(voices) == 18 and voices >= {"en-us+m1", "en-gb+f2"}
    assert "eSpeak NG" in (folder / say.README_FILE).read_text()


def test_an_unknown_engine_is_refused(speak):
    with pytest.raises(KwsError, match="'marytts' is unknown"):
        speak(engine="marytts")
