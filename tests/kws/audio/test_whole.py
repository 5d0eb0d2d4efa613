"""Half-copied recordings of every format are refused, and so is noise that is named like one."""

import io
import struct

import numpy as np
import pytest
import soundfile

from kws.audio import framing
from kws.audio.mpeg import Header
from kws.audio.read import Unreadable, read, read_window, survey
from tests.kws.audio.test_hostile_audio import ogg_crc

RATE = 16000
SOUND = np.random.default_rng(2).normal(0, 0.1, 6 * RATE).clip(-1, 1)
FORMATS = [
    ("AIFF", "PCM_16"),
    ("AIFF", "FLOAT"),
    ("AIFF", "ULAW"),
    ("AU", "PCM_16"),
    ("AU", "ULAW"),
    ("CAF", "PCM_16"),
    ("CAF", "ALAC_16"),
    ("W64", "PCM_24"),
    ("RF64", "PCM_16"),
    ("NIST", "PCM_16"),
    ("WAV", "PCM_16"),
    ("WAV", "IMA_ADPCM"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


def encoded(kind: str, subtype: str, channels: int = 1) -> bytes:
    file = io.BytesIO()
    sound = np.stack([SOUND] * channels, 1)
    soundfile.write(file, sound, RATE, format=kind, subtype=subtype)
    return file.getvalue()


def without_count(mp3: bytes) -> bytes:
    """The same without its first frame, which says how many there are."""
    header = Header.parse(mp3[:4])
    assert header is not None and b"Xing" in mp3[: header.size]
    return mp3[header.size :]


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("as_path", [False, True])
def test_a_copy_that_broke_off_is_refused_whole_and_as_a_long_recording(
    kind, subtype, share, as_path, tmp_path
):
    whole = encoded(kind, subtype)
    path = tmp_path / f"a.{kind.lower()}"
    for content, length in ((whole, 1.0), (whole, share)):
        content = content[: int(length * len(content))]
        path.write_bytes(content)
        source = path if as_path else io.BytesIO(content)
        if length == 1:
            assert survey(source).duration_ms == pytest.approx(6000, abs=150)
            assert read(source).notes == ()
            continue
        for look in (read, survey):
            with pytest.raises(Unreadable) as refused:
                look(source)
            assert refused.value.reason in ("truncated", "malformed")


def test_an_mp3_without_a_count_is_cut_if_its_last_frame_is():
    mp3 = without_count(encoded("MP3", "MPEG_LAYER_III"))
    recording = read(io.BytesIO(mp3))
    assert recording.audio.size == pytest.approx(6 * RATE, abs=2500)
    whole = read(io.BytesIO(encoded("MP3", "MPEG_LAYER_III"))).audio[RATE:-RATE]
    delays = range(0, 2400)  # Which the count's frame states, too.
    assert any(np.array_equal(recording.audio[RATE + d :][: whole.size], whole) for d in delays)
    tagged = read(io.BytesIO(b"ID3\x04\0\0\0\0\x02\0" + bytes(256) + mp3 + b"TAG" + bytes(125)))
    np.testing.assert_array_equal(tagged.audio, recording.audio)
    window = read_window(io.BytesIO(mp3), 5000, 500).audio
    assert window.std() == pytest.approx(whole.std(), rel=0.1)
    with pytest.raises(Unreadable, match=r"truncated: \d+ bytes of its last frame"):
        read(io.BytesIO(mp3[: len(mp3) // 2 + 3]))


def test_an_mp3_with_tags_around_it_is_whole():
    mp3 = encoded("MP3", "MPEG_LAYER_III")
    tag = b"ID3\x04\0\0\0\0\x02\0" + bytes(256)
    for content in (tag + mp3, mp3 + b"TAG" + bytes(125), tag + tag + mp3 + bytes(1000)):
        assert read(io.BytesIO(content)).audio.size == read(io.BytesIO(mp3)).audio.size
    with pytest.raises(Unreadable, match="malformed: there is no frame at byte"):
        read(io.BytesIO(mp3[:20000] + bytes(500) + mp3[20000:]))


def test_the_sizes_of_mpeg_frames_are_those_of_the_standard():
    # 128 kbit/s at 44.1 kHz, with and without padding; 64 kbit/s at 16 kHz; layer I; MPEG 2.5.
    for four, size, rate in (
        (b"\xff\xfb\x90\x64", 417, 44100),
        (b"\xff\xfb\x92\x64", 418, 44100),
        (b"\xff\xf3\x88\xc4", 288, 16000),
        (b"\xff\xff\xc0\x00", 416, 44100),
        (b"\xff\xe3\x48\xc4", 288, 8000),
    ):
        header = Header.parse(four)
        assert header is not None and (header.rate, header.size) == (rate, size), four
    for four in (
        b"\xff\xfb\xf0\x64",
        b"\xff\xfb\x9c\x64",
        b"\xff\xf9\x90\x64",
        b"\xfe\xfb\x90\x64",
    ):
        assert Header.parse(four) is None


def test_a_damaged_or_missing_page_of_an_ogg_is_seen():
    whole = encoded("OGG", "VORBIS")
    starts = [i for i in range(len(whole)) if whole[i : i + 5] == b"OggS\0"]
    for at in (starts[3] + 100, starts[3] + 6):
        damaged = bytearray(whole)
        damaged[at] ^= 4
        with pytest.raises(Unreadable, match="malformed: its page at byte"):
            survey(io.BytesIO(bytes(damaged)))
    with pytest.raises(Unreadable, match="malformed: page 3 of its stream is missing"):
        read(io.BytesIO(whole[: starts[3]] + whole[starts[4] :]))
    ended = read(io.BytesIO(whole[: starts[-1]]))
    assert [note.name for note in ended.notes] == ["no_end_mark"]


def test_the_checksum_of_an_ogg_page_is_that_of_its_definition():
    content = np.random.default_rng(0).bytes(999)
    assert framing.ogg_crc(content) == ogg_crc(content)
    assert framing.ogg_crc(b"\x01") == 0x04C11DB7


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_S8"])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_samples_of_a_flac_are_those_of_its_md5(subtype, channels):
    whole = bytearray(encoded("FLAC", subtype, channels))
    assert read(io.BytesIO(bytes(whole))).notes == survey(io.BytesIO(bytes(whole))).notes == ()
    whole[30] ^= 1  # of the MD5
    for look in (read, survey):
        with pytest.raises(Unreadable, match="malformed: its samples are not those of the MD5"):
            look(io.BytesIO(bytes(whole)))
    whole[26:42] = bytes(16)  # an encoder that left it open
    assert read(io.BytesIO(bytes(whole))).audio.size == SOUND.size


def test_a_window_where_a_long_recording_broke_off_is_refused_and_not_silence(tmp_path):
    for kind, subtype in (("MP3", "MPEG_LAYER_III"), ("FLAC", "PCM_16")):
        whole = encoded(kind, subtype)
        path = tmp_path / f"a.{kind.lower()}"
        path.write_bytes(whole[: len(whole) // 2])
        assert read_window(path, 1000, 500).audio.any()
        with pytest.raises(Unreadable, match="truncated"):
            read_window(path, 4000, 1000)


@pytest.mark.parametrize("suffix", ["au", "snd", "mp3", "wav", "flac", "vox", "gsm", "raw", "caf"])
def test_noise_by_the_name_of_a_recording_is_not_audio(suffix, tmp_path, capfd):
    for seed in range(8):
        path = tmp_path / f"{seed}.{suffix}"
        path.write_bytes(np.random.default_rng(seed).bytes(20000))
        for look in (read, survey, lambda source: read_window(source, 0, 500)):
            with pytest.raises(Unreadable) as refused:
                look(path)
            assert refused.value.reason in ("not_audio", "malformed")
    assert capfd.readouterr().out == ""


def test_a_size_that_au_leaves_open_is_no_cut():
    whole = bytearray(encoded("AU", "PCM_16"))
    whole[8:12] = struct.pack(">I", 0xFFFFFFFF)
    assert read(io.BytesIO(bytes(whole))).audio.size == SOUND.size
