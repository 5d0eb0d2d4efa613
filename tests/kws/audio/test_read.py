"""Files of every kind become 16-bit mono at 16 kHz, or a reason with a stable name."""

import io
import struct

import numpy as np
import pytest
import soundfile

from kws.audio.read import Unreadable, duration_ms, read, read_window

TONE_HZ = 500


def tone(rate: int, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * TONE_HZ * np.arange(int(rate * seconds)) / rate)


def written(audio: np.ndarray, rate: int, kind: str, subtype: str) -> io.BytesIO:
    file = io.BytesIO()
    soundfile.write(file, audio, rate, format=kind, subtype=subtype)
    return file


def cut(file: io.BytesIO, share: float) -> io.BytesIO:
    return io.BytesIO(file.getvalue()[: int(len(file.getvalue()) * share)])


def reason(source: io.BytesIO, **limits: float) -> str:
    with pytest.raises(Unreadable) as refused:
        read(source, **limits)
    return refused.value.reason


def test_sixteen_bit_mono_passes_bit_for_bit():
    samples = np.random.default_rng(0).integers(-32768, 32768, 16000).astype(np.int16)
    np.testing.assert_array_equal(read(written(samples, 16000, "WAV", "PCM_16")).audio, samples)
    np.testing.assert_array_equal(read(written(samples, 16000, "FLAC", "PCM_16")).audio, samples)


@pytest.mark.parametrize(
    ("kind", "subtype", "rate"),
    [
        ("WAV", "PCM_U8", 8000),
        ("WAV", "PCM_24", 44100),
        ("WAV", "PCM_32", 16000),
        ("WAV", "FLOAT", 22050),
        ("FLAC", "PCM_24", 48000),
        ("OGG", "VORBIS", 44100),
        ("OGG", "OPUS", 48000),
        ("MP3", "MPEG_LAYER_III", 44100),
    ],
)
def test_every_format_keeps_the_tone(kind, subtype, rate):
    recording = read(written(tone(rate), rate, kind, subtype))
    middle = recording.audio[4000:12000].astype(float)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(8000)))
    assert recording.audio.dtype == np.int16
    assert spectrum.argmax() * 2 == TONE_HZ
    assert np.std(middle) == pytest.approx(0.5 * 32768 / np.sqrt(2), rel=0.03)
    assert recording.original_rate == rate


def test_stereo_is_averaged_and_resampled():
    left, right = tone(44100, amplitude=0.6), tone(44100, amplitude=0.2)
    recording = read(written(np.stack([left, right], 1), 44100, "WAV", "PCM_24"))
    assert recording.original_channels == 2
    assert recording.audio.shape == (16000,)
    expected = tone(16000, amplitude=0.4) * 32768
    np.testing.assert_allclose(recording.audio[500:-500], expected[500:-500], atol=20)


def test_each_kind_of_bad_file_has_its_reason(tmp_path):
    wav = written(tone(16000), 16000, "WAV", "PCM_16")
    nan = tone(16000)
    nan[100] = np.nan
    assert reason(io.BytesIO()) == "empty_file"
    assert reason(io.BytesIO(b"these are words, not sound\n" * 100)) == "not_audio"
    assert reason(io.BytesIO(bytes(range(256)) * 20)) == "not_audio"
    assert reason(cut(wav, 0.6)) == "truncated"
    assert reason(cut(wav, 0.0009)) == "truncated"  # In the middle of the header.
    assert reason(cut(written(tone(16000), 16000, "OGG", "OPUS"), 0.1)) == "truncated"
    assert reason(written(nan, 16000, "WAV", "FLOAT")) == "not_finite"
    assert reason(written(tone(16000) * 1e-5, 16000, "WAV", "FLOAT"), silent_dbfs=-75) == "silent"
    assert reason(written(tone(16000, 10), 16000, "WAV", "PCM_16"), max_duration_ms=5000) == (
        "too_long"
    )
    assert reason(wav, min_duration_ms=1001) == "too_short"
    assert reason(written(np.zeros(0), 16000, "WAV", "PCM_16")) == "too_short"
    with pytest.raises(Unreadable, match="io_error"):
        read(tmp_path / "missing.wav")


def test_a_wav_of_a_program_that_streamed_is_not_truncated():
    content = bytearray(written(tone(16000), 16000, "WAV", "PCM_16").getvalue())
    position = content.index(b"data") + 4
    content[position : position + 4] = struct.pack("<I", 0xFFFFFFFF)
    assert read(io.BytesIO(bytes(content))).audio.size == 16000


def test_a_constant_offset_is_silence():
    assert reason(written(np.full(16000, 0.2), 16000, "WAV", "PCM_16"), silent_dbfs=-75) == "silent"


def test_a_window_is_the_same_as_that_part_of_the_whole(tmp_path):
    samples = np.random.default_rng(0).integers(-9000, 9000, 5 * 16000).astype(np.int16)
    path = tmp_path / "long.flac"
    soundfile.write(path, samples, 16000)
    window = read_window(path, 1250, 1000)
    np.testing.assert_array_equal(window.audio, samples[20000:36000])
    assert duration_ms(path) == 5000
    beyond = read_window(path, 4500, 1000).audio
    np.testing.assert_array_equal(beyond, np.pad(samples[72000:], (0, 8000)))


def test_a_part_of_a_recording_is_read_alone_and_only_if_all_of_it_is_there(tmp_path):
    samples = np.random.default_rng(0).integers(-9000, 9000, 5 * 16000).astype(np.int16)
    path = tmp_path / "long.flac"
    soundfile.write(path, samples, 16000)
    limits = {"max_duration_ms": 2000, "min_duration_ms": 50}
    part = read(path, start_ms=1250, end_ms=2000, **limits)
    np.testing.assert_array_equal(part.audio, samples[20000:32000])
    np.testing.assert_array_equal(read(path, start_ms=4500).audio, samples[72000:])
    np.testing.assert_array_equal(read(path, end_ms=1000).audio, samples[:16000])
    for times, complaint in (
        ({"start_ms": 4500, "end_ms": 5500}, r"beyond_end: 5500 ms, the recording ends at 5000"),
        ({"start_ms": 6000}, "beyond_end"),
        ({"start_ms": 1000}, "too_long: 4000 ms"),
        ({"start_ms": 1000, "end_ms": 1010}, "too_short: 10 ms"),
    ):
        with pytest.raises(Unreadable, match=complaint):
            read(path, **times, **limits)
