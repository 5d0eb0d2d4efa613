"""A WAV whose header has a wrong size is read to its end and noted; one that was cut is refused."""

import io
import struct
import wave

import numpy as np
import pytest
import soundfile

from kws.audio.read import Unreadable, duration_ms, read, read_window, survey

SAMPLES = np.random.default_rng(5).integers(-9000, 9000, 16001).astype(np.int16)
SOUND = SAMPLES.tobytes()
LIST = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf58.29.100\0"
ODD_LIST = b"LIST" + struct.pack("<I", 17) + b"INFOISFT" + struct.pack("<I", 5) + b"abcd\0"


def wav(
    size: int,
    sound: bytes = SOUND,
    after: bytes = b"",
    riff_size: int | None = None,
    before: bytes = b"",
) -> bytes:
    """A file whose data chunk says `size`, whatever follows."""
    fmt = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    body = b"WAVE" + fmt + before + b"data" + struct.pack("<I", size) + sound + after
    whole = len(body) if riff_size is None else riff_size
    return b"RIFF" + struct.pack("<I", whole & 0xFFFFFFFF) + body


def names(content: bytes) -> list[str]:
    return [note.name for note in read(io.BytesIO(content)).notes]


N = len(SOUND)
WRONG_SIZES = {
    "a recorder that crashed": (0, 36),
    "sox to a pipe": (0x7FFFF000, 0x7FFFF024),
    "arecord without an end": (0x80000000, 0x80000024),
    "ffmpeg to a pipe": (0xFFFFFFFF, 0xFFFFFFFF),
    "2 GiB less a header": (0x7FFFFFFF - 44, 0x7FFFFFFF - 8),
    "its header counted, too": (N + 44, None),
    "all of the RIFF counted": (N + 36, N + 72),
    "16 too many": (N + 16, None),
    "16 too few": (N - 16, None),
    "44 too few": (N - 44, None),
    "44 too few, and the RIFF says so, too": (N - 44, N - 8),
    "bytes counted twice": (2 * N, 2 * N + 36),
    "samples counted, not bytes": (N // 2, None),
    "any other, in a file as long as its RIFF says": (N + 5000, None),
}


@pytest.mark.parametrize("case", WRONG_SIZES)
@pytest.mark.parametrize("as_path", [False, True])
def test_a_wrong_size_is_noted_and_every_sample_is_read(case, as_path, tmp_path):
    size, riff_size = WRONG_SIZES[case]
    content = wav(size, riff_size=riff_size)
    (tmp_path / "a.wav").write_bytes(content)
    source = tmp_path / "a.wav" if as_path else io.BytesIO(content)
    recording = read(source)
    np.testing.assert_array_equal(recording.audio, SAMPLES)
    assert [note.name for note in recording.notes] == ["repaired_header"]
    assert str(size) in recording.notes[0].detail and str(N) in recording.notes[0].detail
    assert duration_ms(source) == survey(source).duration_ms == pytest.approx(1000.0625)
    np.testing.assert_array_equal(read_window(source, 500, 250).audio, SAMPLES[8000:12000])
    assert survey(source).notes == recording.notes


@pytest.mark.parametrize("size", [N, 0, 0xFFFFFFFF, 2 * N + 2 * len(LIST), N - 44])
@pytest.mark.parametrize("after", [LIST, ODD_LIST + b"\0", LIST + ODD_LIST + b"\0"])
def test_chunks_after_the_samples_are_not_sound(size, after):
    recording = read(io.BytesIO(wav(size, after=after)))
    np.testing.assert_array_equal(recording.audio, SAMPLES)
    assert bool(recording.notes) == (size != N)


@pytest.mark.parametrize(
    "after",
    [
        LIST[:20],  # cut inside
        b"TAG" + bytes(125),
        b"id3 " + struct.pack("<I", 10) + b"0123456789",
        bytes(300),  # up to a block of the disk
        b"Xyz1" + struct.pack("<I", 4) + b"1234",  # nobody knows it, but it is a chunk
        ODD_LIST,  # without the byte that makes it even
    ],
)
def test_what_follows_legitimately_makes_no_note(after):
    recording = read(io.BytesIO(wav(N, after=after)))
    np.testing.assert_array_equal(recording.audio, SAMPLES)
    assert recording.notes == ()


def test_an_odd_number_of_bytes_before_a_chunk_is_right_with_and_without_its_pad():
    sound = bytes(range(255, 0, -1)) * 99
    fmt = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 16000, 1, 8)
    for pad in (b"", b"\0"):
        body = b"WAVE" + fmt + b"data" + struct.pack("<I", len(sound)) + sound + pad + LIST
        recording = read(io.BytesIO(b"RIFF" + struct.pack("<I", len(body)) + body))
        assert recording.audio.size == len(sound) and recording.notes == ()


@pytest.mark.parametrize("second", [b"data" + struct.pack("<I", N) + SOUND, wav(N)])
def test_a_second_data_chunk_is_said(second):
    recording = read(io.BytesIO(wav(N, after=second)))
    np.testing.assert_array_equal(recording.audio, SAMPLES)
    assert [note.name for note in recording.notes] == ["unread_data"]


@pytest.mark.parametrize("kept", [100, N // 2 + 1, N // 2 + 30, N - 4096, N - 87])
def test_a_copy_that_broke_off_is_truncated(kept):
    whole = wav(N)
    for cut in (whole[: 44 + kept], whole[: 22 + kept]):
        with pytest.raises(Unreadable, match=r"truncated: \d+ bytes fewer"):
            read(io.BytesIO(cut))
        with pytest.raises(Unreadable, match="truncated"):
            duration_ms(io.BytesIO(cut))


def test_an_rf64_is_held_against_its_64_bit_sizes():
    def rf64(size: int, riff_size: int) -> bytes:
        sizes = b"ds64" + struct.pack("<IQQQI", 28, riff_size, size, 0, 0)
        fmt = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
        body = sizes + fmt + b"data" + struct.pack("<I", 0xFFFFFFFF) + SOUND
        return b"RF64" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + body

    right = N + 72
    assert names(rf64(N, right)) == []
    for size, riff_size in ((0, 0), (2 * N, right), (N - 44, right), (N + 5000, right)):
        recording = read(io.BytesIO(rf64(size, riff_size)))
        np.testing.assert_array_equal(recording.audio, SAMPLES)
        assert [note.name for note in recording.notes] == ["repaired_header"]
    with pytest.raises(Unreadable, match="truncated"):
        read(io.BytesIO(rf64(N, right)[: N // 2]))


def test_a_header_that_contradicts_itself_is_noted_and_a_sound_one_is_not():
    content = bytearray(wav(N))
    content[24:28] = struct.pack("<I", 8000)
    assert names(bytes(content)) == ["inconsistent_header"]
    for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM"):
        for kind in ("WAV", "WAVEX", "RF64"):
            if subtype == "IMA_ADPCM" and kind != "WAV":
                continue
            file = io.BytesIO()
            sound = np.stack([SAMPLES, SAMPLES[::-1]], 1) / 40000
            soundfile.write(file, sound, 44100, format=kind, subtype=subtype)
            assert names(file.getvalue()) == [], (kind, subtype)


def test_a_file_of_the_standard_library_is_read_without_a_note(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes(SOUND)
    recording = read(tmp_path / "a.wav")
    np.testing.assert_array_equal(recording.audio, SAMPLES)
    assert recording.notes == ()
