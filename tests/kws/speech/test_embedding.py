"""The speech embedding against an independent runtime, and its forms against each other."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kws import speech
from kws.speech import embedding

GOLDEN = np.load(Path(__file__).parent / "testdata" / "golden.npz")
AUDIO = GOLDEN["audio"]


def test_mel_frames_are_the_golden_ones():
    found = speech.mel_frames(AUDIO, None)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, GOLDEN["mel"], rtol=0, atol=2e-5)


def test_embeddings_are_the_golden_ones():
    # Their values reach 63.
    found = speech.embed(AUDIO, None)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, GOLDEN["embeddings"], rtol=0, atol=2e-4)


def test_one_window_of_the_model_is_one_embedding():
    model = speech.embedding_model(speech.EMBEDDING_FRAMES)
    mel = np.stack([GOLDEN["mel"][8 * i : 8 * i + 76] for i in (0, 5, 27)])[..., np.newaxis]
    found = model(mel).numpy()
    assert found.shape == (3, 1, speech.EMBEDDING_SIZE)
    np.testing.assert_allclose(found[:, 0], GOLDEN["embeddings"][[0, 5, 27]], rtol=0, atol=2e-4)


def test_a_long_recording_is_embedded_in_pieces_as_one(monkeypatch):
    long = np.concatenate([AUDIO, AUDIO[::-1], AUDIO // 3])
    whole = speech.embed(long)
    assert len(whole) == speech.embedding_count(len(long)) == 103
    monkeypatch.setattr(embedding, "_FRAMES_AT_A_TIME", 150)
    np.testing.assert_allclose(speech.embed(long), whole, rtol=0, atol=2e-4)


@settings(max_examples=8, deadline=None)
@given(sizes=st.lists(st.integers(0, 20000), max_size=8))
def test_a_stream_in_any_blocks_is_the_whole_recording(sizes):
    stream, rest, found = speech.StreamingEmbedder(), AUDIO, []
    for size in sizes:
        found.append(stream.feed(rest[:size]))
        rest = rest[size:]
    found.append(stream.feed(rest))
    np.testing.assert_allclose(np.concatenate(found), speech.embed(AUDIO), rtol=0, atol=2e-4)


def test_a_stream_gives_an_embedding_every_80_ms_once_the_first_window_is_full():
    stream = speech.StreamingEmbedder()
    assert len(stream.feed(AUDIO[:12511])) == 0
    counts = [len(stream.feed(AUDIO[i : i + 1])) for i in range(12511, 12511 + 1281)]
    assert [i for i, count in enumerate(counts) if count] == [0, 1280]


def test_clips_in_a_batch_are_embedded_as_each_alone():
    clips = np.stack([AUDIO[i : i + 24000] for i in (0, 9000, 20000)])
    for floor_db in (None, 10.0):
        alone = np.stack([speech.embed(clip, floor_db) for clip in clips])
        np.testing.assert_allclose(speech.embed_clips(clips, floor_db), alone, rtol=0, atol=2e-4)


def test_the_floor_holds_in_silence_and_follows_the_loudest_value_where_none_is_given():
    silence = np.zeros(16000, np.int16)
    np.testing.assert_allclose(speech.mel_frames(silence, 10.0), 3.0, rtol=0, atol=1e-6)
    np.testing.assert_allclose(speech.mel_frames(silence, None), -8.0, rtol=0, atol=1e-6)
    assert np.isfinite(speech.embed(silence)).all()
    relative = speech.mel_frames(np.concatenate([silence, AUDIO]), None)
    assert relative.min() == pytest.approx(relative.max() - 8, abs=1e-6)


@pytest.mark.parametrize("samples", [0, 1, 511, 512, 12511])
def test_audio_shorter_than_a_window_has_no_embedding(samples):
    short = AUDIO[:samples]
    for floor_db in (None, 10.0):
        assert speech.mel_frames(short, floor_db).shape == (max(0, (samples - 352) // 160), 32)
        assert speech.embed(short, floor_db).shape == (0, 96)
        assert speech.embed_clips(short[np.newaxis], floor_db).shape == (1, 0, 96)
    assert speech.embed_clips(np.empty((0, 16000), np.int16)).shape == (0, 3, 96)


def test_audio_of_another_kind_is_refused():
    for function in (speech.mel_frames, speech.embed, speech.StreamingEmbedder().feed):
        with pytest.raises(ValueError, match=r"audio is float32 \[16000\]: must be int16"):
            function(np.zeros(16000, np.float32))
        with pytest.raises(ValueError, match=r"must be int16 \[samples\]"):
            function(np.zeros((2, 16000), np.int16))
    with pytest.raises(ValueError, match=r"must be int16 \[n, samples\]"):
        speech.embed_clips(np.zeros(16000, np.int16))


def test_the_package_and_its_mel_frames_do_not_import_tensorflow():
    code = (
        "import sys, numpy as np; from kws import speech\n"
        "assert speech.mel_frames(np.ones(16000, np.int16)).shape == (97, 32)\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_weights_come_with_their_licence():
    data = Path(speech.__file__).parent / "data"
    assert "Apache License" in (data / "LICENSE").read_text()
    notice = (data / "NOTICE").read_text()
    assert "Google" in notice and "openWakeWord" in notice
