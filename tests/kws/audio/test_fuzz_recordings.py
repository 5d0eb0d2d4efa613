"""6,900 damaged recordings: each is read right, or noted, or refused by a reason that has a name.

What is read without a note must be what the file says to a reader that has nothing to do with ours:
Python's own modules, where there is one; the MD5 of a FLAC and the checksums of an Ogg leave no
other sound than the undamaged one; of other formats only the sound is damaged, and its length must
be the same.
"""

import aifc
import contextlib
import functools
import hashlib
import io
import json
import os
import struct
import subprocess
import sunau
import sys
import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

from kws.audio.mpeg import Header
from kws.audio.read import read
from kws.audio.riff import HEADER_SLACK

RATE = 16000
REFUSALS = (EOFError, struct.error, ValueError, OverflowError, ZeroDivisionError, TypeError)
MEGABYTES = 300
ALAC_PACKET = 4096
FILES_OF_EACH = 300
TIMEOUT_S = 600
REASONS = {
    *("empty_file", "not_audio", "malformed", "truncated", "unsupported_format", "needs_ffmpeg"),
    *("unsupported_rate", "too_many_channels", "too_long", "too_short", "beyond_end"),
    *("not_finite", "out_of_range"),
}


class Variant(NamedTuple):
    """A kind of file to damage.

    Attributes:
      kind, subtype: as libsndfile calls them.
      rate, channels: of it.
      head: so many bytes at its beginning are damaged more often than others; 0: none of them are.
      checked: whether its samples have a checksum.
      reader: of Python's own, if there is one.
    """

    kind: str
    subtype: str
    rate: int = RATE
    channels: int = 1
    head: int = 64
    checked: bool = False
    reader: Callable[[Any], Any] | None = None
    change: Callable[[bytes], bytes] | None = None


def without_count(mp3: bytes) -> bytes:
    header = Header.parse(mp3[:4])
    assert header is not None
    return mp3[header.size :]


VARIANTS = {
    "wav16": Variant("WAV", "PCM_16", reader=wave.open),
    "wav8": Variant("WAV", "PCM_U8", reader=wave.open),
    "wav24": Variant("WAV", "PCM_24", 44100, 2, reader=wave.open),
    "wav32": Variant("WAV", "PCM_32", reader=wave.open),
    "wavfloat": Variant("WAV", "FLOAT", head=0),
    "wavdouble": Variant("WAV", "DOUBLE", 48000, 2, head=0),
    "wavex": Variant("WAVEX", "PCM_16", head=0),
    "rf64": Variant("RF64", "PCM_16", head=0),
    "flac16": Variant("FLAC", "PCM_16", checked=True),
    "flac24": Variant("FLAC", "PCM_24", 48000, 2, checked=True),
    "vorbis": Variant("OGG", "VORBIS", checked=True),
    "opus": Variant("OGG", "OPUS", 48000, checked=True),
    "mp3": Variant("MP3", "MPEG_LAYER_III", head=0),
    "mp3bare": Variant("MP3", "MPEG_LAYER_III", 44100, 2, head=0, change=without_count),
    "aiff": Variant("AIFF", "PCM_16", reader=aifc.open),
    "au": Variant("AU", "PCM_16", head=24, reader=sunau.open),
    "aufloat": Variant("AU", "FLOAT", head=0),
    "w64": Variant("W64", "PCM_16", head=0),
    "caf": Variant("CAF", "PCM_16", head=0),
    "alac": Variant("CAF", "ALAC_16", head=0),
    "nist": Variant("NIST", "PCM_16", head=0),
    "aifffloat": Variant("AIFF", "FLOAT", head=0),
    "adpcm": Variant("WAV", "IMA_ADPCM", head=0),
}


@functools.cache
def encoded(variant: Variant) -> bytes:
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.1, (variant.rate // 2, variant.channels)).clip(-0.9, 0.9)
    file = io.BytesIO()
    soundfile.write(file, sound, variant.rate, format=variant.kind, subtype=variant.subtype)
    content = file.getvalue()
    return variant.change(content) if variant.change else content


def damaged(whole: bytes, variant: Variant, rng: np.random.Generator) -> bytes:
    """One of many kinds of damage."""
    first = 0 if variant.head else 128
    content = bytearray(whole)

    def anywhere() -> int:
        return int(rng.integers(first, len(content)))

    kind = rng.integers(8)
    if kind == 0:  # A copy that broke off.
        return bytes(content[: anywhere()])
    if kind in (1, 2):  # Bits.
        for _ in range(rng.integers(1, 5)):
            end = min(variant.head, len(content)) if variant.head and rng.random() < 0.5 else 0
            content[int(rng.integers(end)) if end else anywhere()] ^= 1 << int(rng.integers(8))
    elif kind in (3, 4) and variant.head:  # A field of the header.
        at = int(rng.integers(variant.head // 2)) * 2
        number = int(rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.integers(1 << 32)]))
        field = struct.pack(str(rng.choice(["<I", ">I"])), number)[: int(rng.choice([2, 4]))]
        content[at : at + len(field)] = field
    elif kind == 5:  # A block of zeros, as of a disk.
        at = anywhere()
        length = min(int(rng.integers(1, 2000)), len(content) - at)
        content[at : at + length] = bytes(length)
    elif kind == 6:  # A block that is missing.
        at = anywhere()
        del content[at : at + int(rng.integers(1, 2000))]
    else:  # Bytes that do not belong there, inside or behind.
        at = anywhere() if rng.random() < 0.5 else len(content)
        content[at:at] = rng.bytes(int(rng.integers(1, 200)))
    return bytes(content)


def by_reference(content: bytes, variant: Variant) -> tuple[np.ndarray, int] | None:
    """Mono float64 samples of full scale 1 and their rate, by Python's module; None: it refuses."""
    assert variant.reader is not None
    # Their own ways to say no.
    with contextlib.suppress(wave.Error, aifc.Error, sunau.Error, *REFUSALS):
        with variant.reader(io.BytesIO(content)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            frames = file.readframes(file.getnframes())
        if variant.kind != "WAV":
            frames = np.frombuffer(frames[: len(frames) // width * width], np.uint8)
            frames = frames.reshape(-1, width)[:, ::-1].tobytes()
        frames = frames[: len(frames) // (width * channels) * width * channels]
        if width == 1:
            signed = np.frombuffer(frames, np.uint8).astype(np.float64) - 128
            if variant.kind != "WAV":
                signed = np.frombuffer(frames, np.int8).astype(np.float64)
        else:
            padded = np.zeros((len(frames) // width, 4), np.uint8)
            padded[:, 4 - width :] = np.frombuffer(frames, np.uint8).reshape(-1, width)
            signed = padded.view("<i4")[:, 0] / 2.0 ** (32 - 8 * width)
        samples = signed.reshape(-1, channels) / 2.0 ** (8 * width - 1)
        return samples.mean(axis=1), rate
    return None


def verdict(name: str, found: dict[str, Any], folder: Path, whole: Any) -> str:
    """What came of one file; raises AssertionError where it is none of what may."""
    variant = VARIANTS[name.split(".")[0]]
    assert "error" not in found, found["error"]
    if "reason" in found:
        assert found["reason"] in REASONS, found
        return f"refused: {found['reason']}"
    # What is used of a word may be used of a long recording, and the other way round.
    duration_ms = 1000 * found["samples"] / RATE
    assert found.get("survey") == pytest.approx(duration_ms, abs=2), found
    assert found.get("window") == 1600 or "window_reason" in found, found
    content, whole_bytes = (folder / name).read_bytes(), len(encoded(variant))
    if found["notes"]:
        # Bytes of a sound that broke off are not to be had by mending its header.
        mended = "repaired_header" in found["notes"]
        assert not mended or len(content) >= whole_bytes - HEADER_SLACK, (whole_bytes, len(content))
        return f"noted: {', '.join(found['notes'])}"
    if found["digest"] == hashlib.sha256(whole.audio.tobytes()).hexdigest():
        return "read: as undamaged"
    assert not variant.checked, f"other sound than its checksum: {found}"
    if variant.reader is None:
        # A damaged packet of ALAC may say that it is a full one.
        most = ALAC_PACKET if variant.subtype == "ALAC_16" else 0
        assert 0 <= found["samples"] - whole.audio.size <= most, found
        assert found["rate"] == variant.rate and found["channels"] == variant.channels
        return "read: as long as undamaged"
    reference = by_reference(content, variant)
    assert reference is not None, f"Python's module refuses it: {found}"
    mono, rate = reference
    assert rate == found["rate"], (rate, found)
    assert found["samples"] == pytest.approx(mono.size * RATE / rate, abs=1), (mono.size, found)
    if rate == RATE:
        audio = np.load((folder / name).with_suffix(".npy"))
        np.testing.assert_allclose(audio, np.clip(mono * 32768, -32768, 32767), atol=1)
    return "read: as Python's module reads it"


@pytest.mark.nightly
def test_every_damaged_recording_is_read_right_or_noted_or_refused(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    wholes = {}
    for number, (name, variant) in enumerate(VARIANTS.items()):
        content = encoded(variant)
        wholes[name] = read(io.BytesIO(content))
        rng = np.random.default_rng(number)
        for i in range(FILES_OF_EACH):
            # The name says nothing in half of the files, and .au, .snd lead libsndfile astray.
            suffix = variant.kind.lower() if i % 2 else ("au", "snd", "wav", "mp3")[i // 2 % 4]
            (folder / f"{name}.{i:04d}.{suffix}").write_bytes(damaged(content, variant, rng))
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) >= 5000
    result = tmp_path / "result.json"
    command = [sys.executable, "-m", "tests.kws.audio.fuzzed", str(MEGABYTES), folder, result]
    done = subprocess.run(
        command,
        capture_output=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(result.read_text())
    assert sorted(found) == names
    counts: Counter[str] = Counter()
    wrong = []
    for name in names:
        try:
            counts[verdict(name, found[name], folder, wholes[name.split(".")[0]])] += 1
        except AssertionError as error:
            wrong.append(f"{name}: {str(error).strip().splitlines()[0]}")
    print(f"{len(names)} damaged recordings:")
    for outcome, count in counts.most_common():
        print(f"{count:6} {outcome}")
    print(f"{len(done.stdout):6} bytes that libsndfile printed to standard output")
    assert not wrong, f"{len(wrong)} of {len(names)}:\n" + "\n".join(wrong[:60])
