"""A recording from elsewhere is read within bounded memory, or is refused with a reason."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.kws.audio.bounded import outcomes

MEGABYTES = 200
RATE = 16000
FUZZED = 400


def encoded(kind: str, subtype: str, rate: int = RATE, channels: int = 1) -> bytearray:
    sound = np.random.default_rng(0).normal(0, 0.1, (rate // 2, channels)).clip(-1, 1)
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format=kind, subtype=subtype)
    return bytearray(file.getvalue())


def wav(rate: int = RATE, channels: int = 1, claims: int | None = None, data: bytes = b"") -> bytes:
    """A header of 16-bit PCM, and what follows it."""
    size = len(data) if claims is None else claims
    block = 2 * channels & 0xFFFF
    bytes_a_second = rate * block & 0xFFFFFFFF
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, bytes_a_second, block, 16)
    body = b"WAVE" + header + struct.pack("<4sI", b"data", size) + data
    return struct.pack("<4sI", b"RIFF", min(len(body), 0xFFFFFFFF)) + body


def rf64(samples: int) -> bytes:
    """A file of 64-bit sizes that claims so many samples and has a second."""
    content = bytes(2 * RATE)
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, 2 * samples + 72, 2 * samples, samples, 0)
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    data = struct.pack("<4sI", b"data", 0xFFFFFFFF) + content
    return struct.pack("<4sI", b"RF64", 0xFFFFFFFF) + b"WAVE" + sizes + header + data


def flac_that_claims(samples: int, channels: int = 1) -> bytes:
    content = encoded("FLAC", "PCM_16", channels=channels)
    # STREAMINFO begins at 8; its last 36 bits before the MD5 are the number of samples.
    low = int.from_bytes(content[8 + 10 : 8 + 18], "big") & ~((1 << 36) - 1)
    content[8 + 10 : 8 + 18] = (low | samples).to_bytes(8, "big")
    return bytes(content)


def ogg_that_claims(samples: int) -> bytes:
    """The last page's granule position is the length; its checksum is made right again."""
    content = encoded("OGG", "VORBIS")
    page = content.rindex(b"OggS")
    content[page + 6 : page + 14] = struct.pack("<q", samples)
    content[page + 22 : page + 26] = bytes(4)
    content[page + 22 : page + 26] = struct.pack("<I", ogg_crc(content[page:]))
    return bytes(content)


def ogg_crc(page: bytes) -> int:
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if crc & 0x80000000 else crc << 1
    return crc


def long_silence(rate: int, seconds: int) -> bytes:
    """FLAC of silence: 4,096 samples in a dozen bytes."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, 1, "PCM_16", format="FLAC") as out:
        for _ in range(seconds):
            out.write(np.zeros(rate, np.int16))
    return file.getvalue()


SECOND = bytes(2 * RATE)
HOSTILE = {
    "claims_3_gb.wav": (wav(claims=0xC0000000, data=SECOND), {"truncated", f"read {RATE}"}),
    "claims_4_gb.wav": (wav(claims=0xFFFFFFF0, data=SECOND), {f"read {RATE}"}),
    "claims_odd.wav": (wav(claims=0x7FFFFFFF, data=SECOND), {f"read {RATE}"}),
    "rf64.wav": (rf64(1 << 60), {"too_long", "truncated", "malformed", f"read {RATE}"}),
    "one_hz.wav": (wav(rate=1, data=SECOND), {"unsupported_rate", "malformed"}),
    "no_rate.wav": (wav(rate=0, data=SECOND), {"unsupported_rate", "malformed"}),
    "two_ghz.wav": (wav(rate=2**31 - 1, data=SECOND), {"unsupported_rate", "malformed"}),
    "four_ghz.wav": (wav(rate=2**32 - 1, data=SECOND), {"unsupported_rate", "malformed"}),
    "channels.wav": (wav(channels=1000, data=bytes(2000 * 4000)), {"too_many_channels"}),
    "all_channels.wav": (wav(channels=65535, data=SECOND), {"too_many_channels", "malformed"}),
    "no_channels.wav": (wav(channels=0, data=SECOND), {"malformed"}),
    "many_channels.wav": (wav(channels=64, data=bytes(128 * RATE)), {f"read {RATE}"}),
    "chunks.wav": (
        b"RIFF" + struct.pack("<I", 80_000_004) + b"WAVE" + b"junk\0\0\0\0" * 10_000_000,
        {"malformed"},
    ),
    "large_chunk.wav": (
        b"RIFF" + struct.pack("<I", 0x7FFFFFFF) + b"WAVELIST" + struct.pack("<I", 0x7FFFFFF0),
        {"truncated"},
    ),
    "frames.flac": (flac_that_claims((1 << 36) - 1), {"too_long", "truncated"}),
    "few_frames.flac": (flac_that_claims(10), {"too_short", "read 10", "truncated", "malformed"}),
    "frames_8.flac": (flac_that_claims(1 << 35, channels=8), {"too_long", "truncated"}),
    "granule.ogg": (ogg_that_claims(1 << 62), {"too_long", "malformed", "read 8192"}),
    "no_granule.ogg": (ogg_that_claims(-1), {"too_long", "malformed", "truncated", "read 8000"}),
    # 4 minutes of 384 kHz are 92 million samples in 0.3 MB, and took 477 MB.
    "silence.flac": (long_silence(384_000, 240), {"too_long"}),
    "endless.id3.mp3": (
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + SECOND,
        {"malformed", "not_audio", "truncated"},
    ),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("hostile")
    for name, (content, _) in HOSTILE.items():
        (folder / name).write_bytes(content)
    paths = [folder / name for name in HOSTILE]
    return dict(zip(HOSTILE, outcomes("audio", paths, MEGABYTES), strict=True))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_header_that_lies_costs_no_memory(found, name):
    assert found[name] in HOSTILE[name][1]


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAV", "PCM_16"), ("WAV", "IMA_ADPCM"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"),
     ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16"), ("AU", "ULAW")],
)  # fmt: skip
def test_whatever_bytes_are_damaged_it_is_read_or_refused(tmp_path, kind, subtype):
    whole = encoded(kind, subtype, rate=48000 if subtype == "OPUS" else RATE)
    random = np.random.default_rng(1)
    paths: list[Path] = []
    for number in range(FUZZED // 8):
        damaged = bytearray(whole)
        # Half of the damage is in the head, where lengths are.
        end = 128 if number % 2 else len(damaged)
        for position in random.integers(0, end, 1 + number % 8):
            damaged[position] = random.integers(256)
        paths.append(tmp_path / f"{number}.{kind.lower()}")
        paths[-1].write_bytes(damaged)
    refused = {"not_audio", "malformed", "truncated", "unsupported_rate", "too_many_channels",
               "too_long", "too_short", "not_finite", "empty_file"}  # fmt: skip
    found = outcomes("audio", paths, MEGABYTES)
    assert len(found) == len(paths)
    for outcome in found:
        assert outcome in refused or outcome.startswith("read "), outcome
