"""Recordings of phones and browsers are read by ffmpeg where it is installed, else refused in words
that help; and what comes from elsewhere gets no more of ffmpeg than that."""

import io
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws.audio import ffmpeg
from kws.audio.container import ffmpeg_demuxer
from kws.audio.read import Unreadable, duration_ms, read, read_window, survey
from kws.corpus.listing import RECORDING_SUFFIXES

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
RATE = 16000
SECONDS = 3
TONE = 0.4 * np.sin(2 * np.pi * 500 * np.arange(SECONDS * RATE) / RATE)
ENCODERS = {
    "m4a": ("-c:a", "aac"),
    "faststart.m4a": ("-c:a", "aac", "-movflags", "+faststart"),
    "3gp": ("-c:a", "aac"),
    "aac": ("-c:a", "aac", "-f", "adts"),
    "webm": ("-c:a", "libopus"),
    "live.webm": ("-c:a", "libopus", "-f", "webm", "-live", "1"),
    "wma": ("-c:a", "wmav2",),
}  # fmt: skip


def encode(folder: Path, name: str, channels: int = 1) -> Path:
    soundfile.write(folder / "in.wav", np.stack([TONE] * channels, 1), RATE)
    path = folder / f"a.{name}"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", folder / "in.wav", *ENCODERS[name], path]
    done = subprocess.run(command, capture_output=True)
    if b"Unknown encoder" in done.stderr:
        pytest.skip(f"this ffmpeg has no {ENCODERS[name][1]}")
    assert done.returncode == 0, done.stderr
    return path


def amr(frames: int) -> bytes:
    """Silence of AMR's lowest rate (RFC 4867, section 5): a header and 13 bytes for each 20 ms."""
    return b"#!AMR\n" + (b"\x04" + bytes(12)) * frames


@needs_ffmpeg
@pytest.mark.parametrize("name", ENCODERS)
def test_each_format_keeps_the_tone_from_a_path_and_from_a_stream(tmp_path, name):
    path = encode(tmp_path, name, channels=2 if name == "m4a" else 1)
    assert path.suffix in RECORDING_SUFFIXES
    recording = read(path)
    middle = recording.audio[RATE : 2 * RATE].astype(float)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(RATE)))
    assert spectrum.argmax() == 500
    assert np.std(middle) == pytest.approx(0.4 * 32768 / np.sqrt(2), rel=0.03)
    assert recording.notes == ()
    assert recording.original_channels == (2 if name == "m4a" else 1)
    assert duration_ms(path) == survey(path).duration_ms == pytest.approx(3000, abs=150)
    np.testing.assert_array_equal(read(io.BytesIO(path.read_bytes())).audio, recording.audio)
    if recording.original_rate == RATE:
        np.testing.assert_array_equal(
            read_window(path, 1000, 500).audio, recording.audio[16000:24000]
        )


@needs_ffmpeg
@pytest.mark.parametrize("name", ENCODERS)
def test_a_copy_that_broke_off_is_refused(tmp_path, name):
    whole = encode(tmp_path, name).read_bytes()
    for share in (0.3, 0.7):
        with pytest.raises(Unreadable, match=r"malformed: ffmpeg cannot read this|truncated"):
            read(io.BytesIO(whole[: int(share * len(whole))]))


@needs_ffmpeg
def test_amr_is_read_and_noise_after_a_signature_is_refused_in_the_same_words_each_time():
    assert read(io.BytesIO(amr(100))).audio.size == pytest.approx(2 * RATE, abs=400)
    for signature in (
        b"\x1a\x45\xdf\xa3",
        b"\0\0\0\x20ftypM4A ",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    ):
        content = signature + np.random.default_rng(1).bytes(5000)
        said = set()
        for _ in range(2):
            with pytest.raises(Unreadable, match="malformed: ffmpeg cannot read this") as refused:
                read(io.BytesIO(content))
            said.add(refused.value.detail)
        assert len(said) == 1 and "/" not in said.pop()


@needs_ffmpeg
def test_a_playlist_is_no_recording_and_opens_no_other_file(tmp_path):
    soundfile.write(tmp_path / "secret.wav", TONE, RATE)
    (tmp_path / "list.m4a").write_text(f"ffconcat version 1.0\nfile '{tmp_path}/secret.wav'\n")
    (tmp_path / "hls.aac").write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{tmp_path}/secret.wav\n")
    for name in ("list.m4a", "hls.aac"):
        with pytest.raises(Unreadable, match="not_audio"):
            read(tmp_path / name)


@needs_ffmpeg
def test_ffmpeg_has_a_time_and_a_size(tmp_path, monkeypatch):
    path = encode(tmp_path, "m4a")
    ffmpeg._decoded.cache_clear()
    monkeypatch.setattr(ffmpeg, "TIMEOUT_S", 0.0001)
    with pytest.raises(Unreadable, match=r"too_long: ffmpeg took more than"):
        read(path)
    monkeypatch.undo()
    monkeypatch.setattr(ffmpeg, "MAX_DECODED_BYTES", 20_000)
    with pytest.raises(Unreadable, match="too_long: more than 20,000 bytes when decoded"):
        read(path)


@needs_ffmpeg
def test_a_name_that_looks_like_an_option_or_an_address_is_a_name(tmp_path, monkeypatch):
    whole = encode(tmp_path, "m4a").read_bytes()
    monkeypatch.chdir(tmp_path)
    for name in ("-i.m4a", "concat:a|b.m4a", "%d [x] 'y'.m4a", "http:.m4a"):
        Path(name).write_bytes(whole)
        assert read(name).audio.any()


def test_without_ffmpeg_it_is_said_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for content, name in (
        (b"\0\0\0\x20ftypM4A isom", "M4A"),
        (b"\x1a\x45\xdf\xa3" + bytes(99), "WebM"),
        (amr(3), "AMR"),
        (b"\xff\xf1\x60\x40" + bytes(99), "AAC"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(99), "WMA"),
    ):
        with pytest.raises(Unreadable) as refused:
            read(io.BytesIO(content))
        assert refused.value.reason == "needs_ffmpeg"
        assert name in refused.value.detail
        assert f"ffmpeg -i in.{name.lower()} -ar 16000 -ac 1 out.wav" in refused.value.detail


def test_no_format_of_libsndfile_is_taken_for_one_of_ffmpeg():
    for kind, subtype in (
        ("WAV", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("MP3", "MPEG_LAYER_III"),
        ("AIFF", "PCM_16"),
        ("CAF", "PCM_16"),
        ("AU", "PCM_16"),
    ):
        file = io.BytesIO()
        soundfile.write(file, TONE, RATE, format=kind, subtype=subtype)
        assert ffmpeg_demuxer(file.getvalue()[:16]) == ""
    for layer in (0b01, 0b10, 0b11):  # Of MPEG audio; AAC has none.
        assert ffmpeg_demuxer(struct.pack("BB", 0xFF, 0xF0 | layer << 1 | 1)) == ""


@needs_ffmpeg
@pytest.mark.nightly
@pytest.mark.parametrize("name", ["m4a", "faststart.m4a", "aac", "webm", "wma"])
def test_whatever_bytes_are_damaged_it_is_refused_or_as_long_as_before(tmp_path, name):
    path = encode(tmp_path, name)
    whole, size = path.read_bytes(), read(path).audio.size
    rng = np.random.default_rng(len(name))
    counts = {"refused": 0, "read": 0}
    for number in range(60):
        content = bytearray(whole)
        if number % 3 == 0:
            del content[int(rng.integers(len(content))) :]
        for position in rng.integers(0, max(1, len(content)), 1 + number % 6):
            if content:
                content[position] ^= 1 << int(rng.integers(8))
        try:
            # A frame of AAC is 1,024 samples; what ffmpeg skips it says, and that is refused.
            assert read(io.BytesIO(bytes(content))).audio.size == pytest.approx(
                size, abs=8000 if name == "wma" else 1200
            )
            counts["read"] += 1
        except Unreadable as error:
            assert error.reason in ("malformed", "truncated", "empty_file", "not_audio")
            counts["refused"] += 1
    print(name, counts)
