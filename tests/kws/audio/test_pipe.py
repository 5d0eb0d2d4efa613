"""Sound from a pipe is what the same bytes in a file would give, or it is refused."""

import io
import os
import struct
import threading

import numpy as np
import pytest
import soundfile

from kws.audio.live import from_pipe
from kws.audio.read import read
from kws.errors import KwsError

RATE = 16000
SOUND = np.random.default_rng(8).normal(0, 0.1, 3 * RATE).clip(-1, 1)


class Dribble(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, content: bytes, most: int):
        self._rest, self._most = content, most

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        count = self._most if size < 0 else min(size, self._most)
        content, self._rest = self._rest[:count], self._rest[count:]
        return content


def heard(content: bytes, rate: int | None = None, most: int = 997) -> np.ndarray:
    chunks = list(from_pipe(Dribble(content, most), RATE, rate))  # type: ignore[arg-type]
    assert all(chunk.dtype == np.int16 for chunk in chunks)
    return np.concatenate([np.zeros(0, np.int16), *chunks])


def wav(sound: np.ndarray, rate: int, subtype: str = "PCM_16", kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format=kind, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
def test_a_wav_is_heard_as_the_file_is_read(subtype, channels, kind):
    sound = SOUND[:2000]
    others = [sound, 0.5 * np.roll(sound, 700), np.zeros(sound.size)]
    content = wav(np.stack(others[:channels], 1), RATE, subtype, kind)
    expected = read(io.BytesIO(content)).audio
    for most in (61, 997, 1 << 20):
        np.testing.assert_allclose(heard(content, most=most), expected, atol=1)


def test_another_rate_and_stereo_are_converted():
    t = np.arange(48000 * 2) / 48000
    tone = 0.5 * np.sin(2 * np.pi * 440 * t)
    content = wav(np.stack([tone, 0.2 * tone], 1), 48000)
    audio = heard(content).astype(float)
    expected = read(io.BytesIO(content)).audio
    assert audio.size == pytest.approx(expected.size, abs=2)
    spectrum = np.abs(np.fft.rfft(audio[8000:24000] * np.hanning(16000)))
    assert spectrum.argmax() == 440
    assert audio[8000:24000].std() == pytest.approx(0.3 * 32768 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_a_header_of_a_program_that_streams_is_followed_to_the_end_of_the_pipe(size):
    content = bytearray(wav(SOUND, RATE))
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", size)
    np.testing.assert_array_equal(heard(bytes(content)), read(io.BytesIO(wav(SOUND, RATE))).audio)


def test_chunks_around_the_samples_are_not_heard():
    whole = wav(SOUND, RATE)
    chunk = b"LIST" + struct.pack("<I", 7) + b"INFOabc\0"
    content = whole[:12] + chunk + whole[12:] + chunk
    np.testing.assert_array_equal(heard(content), read(io.BytesIO(whole)).audio)


def test_a_wav_is_heard_as_it_comes_and_not_at_its_end():
    content = wav(np.tile(SOUND, 3), RATE)
    end, start = os.pipe()
    with os.fdopen(end, "rb") as pipe, os.fdopen(start, "wb", buffering=0) as program:
        threading.Thread(target=program.write, args=[content[:20000]]).start()
        chunks = from_pipe(pipe, RATE)
        first = sum(next(chunks).size for _ in range(10))
        assert 0 < first < 10000
        program.close()
        assert first + sum(chunk.size for chunk in chunks) == (20000 - 44) // 2


def test_channels_that_cancel_each_other_are_heard_all_the_same():
    audio = heard(wav(np.stack([SOUND, -SOUND], 1), RATE))
    expected = read(io.BytesIO(wav(SOUND, RATE))).audio
    np.testing.assert_allclose(audio[RATE + 1000 :], expected[RATE + 1000 :], atol=2)


def test_raw_samples_are_heard_bit_for_bit_whatever_they_begin_with():
    samples = np.random.default_rng(0).integers(-32768, 32768, 5000).astype("<i2")
    for first in (b"", b"\xff\xfb\x90\x64", b"\xff\xf1\x60\x40"):  # like MP3, like AAC
        content = first + samples.tobytes()
        np.testing.assert_array_equal(heard(content + b"\0"), np.frombuffer(content, "<i2"))
    assert heard(samples.tobytes(), rate=32000).size == pytest.approx(2500, abs=2)
    for short in (b"", b"\0", b"\1\0", b"RIF"):
        assert heard(short).size == len(short) // 2


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (wav(SOUND, RATE, kind="FLAC"), "is a recording .'fLaC'"),
        (wav(SOUND, RATE, "VORBIS", "OGG"), "is a recording .'OggS'"),
        (wav(SOUND, RATE, kind="AIFF"), "is a recording .'FORM'"),
        (b"\0\0\0\x20ftypM4A isommp42", "is a recording .M4A"),
        (b"ID3\x04" + bytes(100), "is a recording"),
        (wav(SOUND, RATE, "ULAW"), "format 7 of 8 bits"),
        (wav(SOUND, RATE, "IMA_ADPCM"), "format 17 of 4 bits"),
        (wav(SOUND, 600), "says 600 Hz"),
        (wav(np.zeros((100, 99)), RATE), "99 channels"),
        (wav(np.full(RATE, 9000.0), RATE, "FLOAT"), "float sample in the pipe is 9000"),
        (wav(np.full(RATE, np.nan), RATE, "FLOAT"), "float sample in the pipe is nan"),
        (b"RIFF" + bytes(4) + b"AVI " + bytes(100), "not WAVE"),
        (b"RIFF" + bytes(4) + b"WAVE" + b"data" + bytes(100), "no format or no samples"),
        (b"RIFF" + bytes(4) + b"WAVEjunk", "no format or no samples"),
        (wav(SOUND, RATE) * 2, "a second recording in the pipe"),
    ],
)  # fmt: skip
def test_what_would_be_misheard_is_refused_with_what_to_do(content, complaint):
    with pytest.raises(KwsError, match=complaint) as refused:
        heard(content)
    assert refused.value.hint


def test_a_rate_that_is_not_the_header_s_is_refused():
    with pytest.raises(KwsError, match="--rate 8000: the WAV in the pipe says 16000 Hz"):
        heard(wav(SOUND, RATE), rate=8000)
    assert heard(wav(SOUND, RATE), rate=16000).size == SOUND.size
    broken = bytearray(wav(SOUND, RATE))
    broken[24:28] = struct.pack("<I", 8000)
    with pytest.raises(KwsError, match="contradicts itself"):
        heard(bytes(broken))
