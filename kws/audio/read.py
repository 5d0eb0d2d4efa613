"""Read: a recording in any usual format becomes 16-bit mono at one sample rate, or a reason.

WAV (8 to 32 bits, float), FLAC, Ogg Vorbis, Ogg Opus, MP3, AIFF, AU, CAF, W64 and SPHERE by
libsndfile; M4A, AAC, WebM, AMR and WMA by ffmpeg, where it is installed. Channels are averaged,
rates converted by soxr (high quality). Memory is bounded by `max_duration_ms` and `MAX_FRAMES`: the
header is believed when it says too long, and never when it says short enough.
"""

import dataclasses
import functools
import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from kws.audio import container, ffmpeg
from kws.audio.container import Check, Note, Unreadable
from kws.audio.ffmpeg import PatchedFile
from kws.audio.framing import SampleDigest
from kws.audio.loudness import FULL_SCALE, ChannelPowers, Peak, scale_notes

BLOCK_SAMPLES = 1 << 20
"""Decoded at once, of all channels."""
MAX_FRAMES = 1 << 26
"""Held in memory, whatever the sample rate: 23 minutes at 48 kHz."""
MAX_CHANNELS = 64
RATES_HZ = (2000, 400_000)
"""Sample rates outside this range are taken for a broken header."""
FORMATS = ("WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "NIST")
"""Not the others of libsndfile: it takes noise for some, and a cut file of any for a whole one."""
MP3_SLACK_FRAMES = 4608
"""An MP3's length by its header is its sound's to within the delays of encoder and decoder."""
Source = str | os.PathLike[str] | BinaryIO


@dataclasses.dataclass(frozen=True)
class Recording:
    """What was read.

    Attributes:
      audio: int16 mono `[samples]` at the sample rate that was asked for.
      original_rate: Hz, in the file.
      original_channels: in the file.
      notes: what is odd about it.
    """

    audio: np.ndarray
    original_rate: int
    original_channels: int
    notes: tuple[Note, ...] = ()


@dataclasses.dataclass(frozen=True)
class Survey:
    """What a long recording is, once all of it was decoded.

    Attributes:
      duration_ms: of what is in it.
      notes: what is odd about it.
    """

    duration_ms: float
    notes: tuple[Note, ...] = ()


def read(
    source: Source,
    sample_rate: int = 16000,
    *,
    max_duration_ms: float = 600_000,
    min_duration_ms: float = 0,
    silent_dbfs: float | None = None,
    start_ms: float = 0,
    end_ms: float | None = None,
) -> Recording:
    """Reads a whole recording, or a part of a longer one.

    Args:
      source: path, or binary file object (seekable; it is not closed).
      sample_rate: Hz wanted.
      max_duration_ms: longer recordings (or parts) are refused.
      min_duration_ms: shorter recordings (or parts) are refused.
      silent_dbfs: refuse recordings whose RMS about their mean is below; None accepts silence.
      start_ms: where the part begins.
      end_ms: where it ends; None: to the end of the recording.

    Raises:
      Unreadable: with one of its reasons.
    """
    with _opened(source, thorough=True) as opened:
        file = opened.file
        rate, channels = file.samplerate, file.channels
        start, frames = _part(file, start_ms, end_ms)
        _check_duration(frames / rate * 1000, max_duration_ms, min_duration_ms)
        whole = end_ms is None
        most = math.ceil(rate * max_duration_ms / 1000) if whole else frames
        _check_frames(frames)
        most = min(most, MAX_FRAMES)
        # One frame more, so that a recording that is longer than its header said is seen.
        decoded = _decode(opened, start, most + whole, frames)
    mono = decoded.mono
    if whole and not start and mono.size <= most:
        opened.digest.check()
    _check_duration(mono.size / rate * 1000, max_duration_ms, min_duration_ms)
    _check_frames(mono.size)
    scale = decoded.peak.scale()
    audio = _to_int16(mono, rate, sample_rate, scale)
    if silent_dbfs is not None:
        level = 20 * math.log10(max(float(audio.std(dtype=np.float64)), 1e-9) / FULL_SCALE)
        if level < silent_dbfs:
            raise Unreadable("silent", f"{max(level, -100):.0f} dBFS RMS, below {silent_dbfs:g}")
    return Recording(audio, rate, channels, (*opened.notes, *decoded.notes, *scale_notes(scale)))


def read_window(
    source: Source, start_ms: float, duration_ms: float, sample_rate: int = 16000
) -> Recording:
    """Reads one window of a long recording without decoding the rest.

    Returns:
      Exactly `duration_ms` of audio, padded with zeros where the recording ends sooner.

    Raises:
      Unreadable: as `read`.
    """
    with _opened(source) as opened:
        file = opened.file
        rate, channels = file.samplerate, file.channels
        start = min(file.frames, max(0, round(start_ms * rate / 1000)))
        frames = round(duration_ms * rate / 1000)
        _check_frames(frames)
        decoded = _decode(opened, start, frames, min(frames, file.frames - start))
    scale = _float_scale(source, file.subtype) or decoded.peak.scale()
    audio = _to_int16(decoded.mono, rate, sample_rate, scale)
    samples = round(duration_ms * sample_rate / 1000)
    audio = np.pad(audio[:samples], (0, max(0, samples - audio.size)))
    return Recording(audio, rate, channels, (*opened.notes, *decoded.notes, *scale_notes(scale)))


def survey(source: Source) -> Survey:
    """Decodes a recording of any length from end to end, and keeps nothing of it.

    Raises:
      Unreadable: as `read`.
    """
    with _opened(source, thorough=True) as opened:
        file = opened.file
        powers, peak, frames = ChannelPowers(file.channels), Peak(), 0
        for block in _blocks(opened, 0, None):
            frames += len(block)
            peak.add(block)
            powers.add(block)
            opened.digest.add(block)
        _check_decoded(file, frames, file.frames)
    opened.digest.check()
    notes = (*opened.notes, *powers.notes(), *scale_notes(peak.scale()))
    return Survey(frames / file.samplerate * 1000, notes)


def read_first_channel(
    source: Source, sample_rate: int = 16000, max_duration_ms: float = 10_000
) -> np.ndarray:
    """The first channel of a short recording, unrounded: impulse responses fade below 16 bits, and
    an average of microphones would be a filter.

    Returns:
      float32 `[samples]`, the beginning of the recording; full scale is 1.

    Raises:
      Unreadable: as `read`.
    """
    with _opened(source) as opened:
        rate = opened.file.samplerate
        frames = round(rate * max_duration_ms / 1000)
        _check_frames(frames * opened.file.channels)
        blocks = [block[:, 0] for block in _blocks(opened, 0, frames)]
    block = np.concatenate(blocks or [np.zeros(0, np.float32)])
    if block.dtype == np.int16:
        block = block.astype(np.float32) / np.float32(FULL_SCALE)
    if not np.isfinite(block).all():
        raise Unreadable("not_finite", "a sample is NaN or infinite")
    return soxr.resample(block, rate, sample_rate) if rate != sample_rate and block.size else block


def duration_ms(source: Source) -> float:
    """The length of a recording by its header.

    Raises:
      Unreadable: as `read`.
    """
    with _opened(source) as opened:
        return opened.file.frames / opened.file.samplerate * 1000


def _part(file: soundfile.SoundFile, start_ms: float, end_ms: float | None) -> tuple[int, int]:
    """First frame and number of frames; refuses a part that is not all in the recording."""
    rate = file.samplerate
    start = round(start_ms * rate / 1000)
    end = file.frames if end_ms is None else round(end_ms * rate / 1000)
    if end > file.frames or start > file.frames:
        duration_ms = file.frames / rate * 1000
        last_ms = start_ms if end_ms is None else end_ms
        raise Unreadable("beyond_end", f"{last_ms:.0f} ms, the recording ends at {duration_ms:.0f}")
    return start, end - start


@dataclasses.dataclass(frozen=True)
class _Opened:
    """A file that looks sound so far.

    Attributes:
      file: to decode it.
      notes: on its header.
      digest: of its samples, to which whoever decodes all of them adds them.
    """

    file: soundfile.SoundFile
    notes: tuple[Note, ...]
    digest: SampleDigest


@dataclasses.dataclass(frozen=True)
class _Decoded:
    """Mono samples (int16, or float of the file's own scale), the peak of all channels, notes."""

    mono: np.ndarray
    peak: Peak
    notes: tuple[Note, ...]


@contextmanager
def _opened(source: Source, thorough: bool = False) -> Iterator[_Opened]:
    """Opens what looks sound so far.

    Args:
      source: the recording.
      thorough: look at all of its frames or pages, where the format has such.
    """
    try:
        if isinstance(source, str | os.PathLike):
            path = os.fspath(source)
            stat = os.stat(path)
            checked = _checked(path, stat.st_size, stat.st_mtime_ns, thorough)
            with open(path, "rb") as stream:
                yield from _sound_file(path, stream, checked)
        else:
            yield from _sound_file(source, source, container.check(source, thorough))
    except OSError as error:
        raise Unreadable("io_error", error.strerror or str(error)) from error


@functools.lru_cache(maxsize=256)
def _checked(path: str, size: int, mtime_ns: int, thorough: bool) -> Check:
    """Looked at once, however many windows are cut from it."""
    with open(path, "rb") as stream:
        return container.check(stream, thorough)


def _sound_file(source: str | BinaryIO, stream: BinaryIO, checked: Check) -> Iterator[_Opened]:
    signed = container.is_signed(stream)
    opened: str | BinaryIO = source
    if checked.ffmpeg:
        opened, signed = ffmpeg.decode(source, checked.ffmpeg), True  # type: ignore[assignment]
        checked = dataclasses.replace(container.check(opened), notes=())  # type: ignore[arg-type]
        stream = opened  # type: ignore[assignment]
    if not checked.is_as_it_is:
        opened = io.BufferedReader(PatchedFile(stream, checked))
    digest = SampleDigest(stream)
    if not isinstance(opened, str):
        opened.seek(0)
    try:
        file = soundfile.SoundFile(opened)
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:
        # TypeError: a name that ends in .raw, which has no header to read.
        raise Unreadable("malformed" if signed else "not_audio", _sentence(error)) from error
    with file:
        low, high = RATES_HZ
        if file.format not in FORMATS:
            # RAW is what libsndfile makes of any bytes in a file named .au, .snd or .vox.
            reason = "not_audio" if file.format == "RAW" else "unsupported_format"
            raise Unreadable(reason, f"{file.format_info}, which is not read: convert it to WAV")
        if not low <= file.samplerate <= high:
            raise Unreadable("unsupported_rate", f"{file.samplerate} Hz, not {low} to {high}")
        if file.channels > MAX_CHANNELS:
            raise Unreadable("too_many_channels", f"{file.channels}, at most {MAX_CHANNELS}")
        if file.frames < 0:
            raise Unreadable("malformed", f"{file.frames} samples by its header")
        yield _Opened(file, checked.notes, digest)


def _sentence(error: Exception) -> str:
    said = getattr(error, "error_string", str(error)).strip().rstrip(".")
    return said or f"libsndfile says error {getattr(error, 'code', '?')}"


def _check_duration(duration: float, longest_ms: float, shortest_ms: float) -> None:
    if duration > longest_ms:
        raise Unreadable("too_long", f"{duration:.0f} ms, at most {longest_ms:g}")
    if duration < shortest_ms or duration <= 0:
        raise Unreadable("too_short", f"{duration:.0f} ms, at least {max(shortest_ms, 1):g}")


def _check_frames(frames: int) -> None:
    if frames > MAX_FRAMES:
        raise Unreadable("too_long", f"{frames:,} samples, at most {MAX_FRAMES:,}")


def _check_decoded(file: soundfile.SoundFile, decoded: int, promised: int) -> None:
    """Less sound than the header promised."""
    slack = MP3_SLACK_FRAMES if file.format == "MP3" else 0
    if decoded + slack < promised:
        raise Unreadable("truncated", f"{decoded:,} samples in it, {promised:,} by its header")


def _blocks(opened: _Opened, start: int, most_frames: int | None) -> Iterator[np.ndarray]:
    """Samples `[frames, channels]` from a frame on: int16 where the file is 16-bit mono, else
    float32 of the file's own scale.

    Raises:
      Unreadable: `truncated` or `malformed`.
    """
    file = opened.file
    dtype = "int16" if file.channels == 1 and file.subtype == "PCM_16" else "float32"
    size = max(1, BLOCK_SAMPLES // file.channels)
    left = most_frames
    try:
        if start or file.tell():
            file.seek(start)
        while left is None or left > 0:
            asked = size if left is None else min(left, size)
            block = file.read(asked, dtype=dtype, always_2d=True)
            yield block
            if left is not None:
                left -= len(block)
            if len(block) < asked:
                return
    except soundfile.LibsndfileError as error:
        raise Unreadable("truncated", f"cannot be decoded: {_sentence(error)}") from error
    except ValueError as error:  # A position beyond its length: soundfile counts below zero.
        raise Unreadable("malformed", f"cannot be decoded: {error}") from error


def _decode(opened: _Opened, start: int, most_frames: int, promised: int) -> _Decoded:
    """Decodes a part, or all of it.

    Raises:
      Unreadable: there are fewer frames than `promised`, among others.
    """
    powers, peak = ChannelPowers(opened.file.channels), Peak()
    mono: list[np.ndarray] = []
    for block in _blocks(opened, start, most_frames):
        peak.add(block)
        powers.add(block)
        opened.digest.add(block)
        mono.append(block[:, 0] if block.shape[1] == 1 else block.mean(axis=1))
    if (channel := powers.channel_to_take()) is not None:
        mono = [block[:, channel] for block in _blocks(opened, start, most_frames)]
    joined = mono[0] if len(mono) == 1 else np.concatenate(mono or [np.zeros(0, np.int16)])
    _check_decoded(opened.file, joined.size, promised)
    return _Decoded(joined, peak, powers.notes())


def _float_scale(source: Source, subtype: str) -> float | None:
    """The full scale of a float recording as a whole, which its windows need not show; None where
    it would have to be fetched for that."""
    if subtype not in ("FLOAT", "DOUBLE"):
        return 1.0
    if isinstance(source, str | os.PathLike):
        stat = os.stat(source)
        return _scale_of(os.fspath(source), stat.st_size, stat.st_mtime_ns)
    return None


@functools.lru_cache(maxsize=256)
def _scale_of(path: str, size: int, mtime_ns: int) -> float:
    peak = Peak()
    with _opened(path) as opened:
        for block in _blocks(opened, 0, None):
            peak.add(block)
    return peak.scale()


def _to_int16(mono: np.ndarray, rate: int, sample_rate: int, scale: float) -> np.ndarray:
    if mono.dtype == np.int16 and rate != sample_rate:
        mono = mono.astype(np.float32) / FULL_SCALE
    elif scale != 1:
        mono = mono / np.float32(scale)
    if rate != sample_rate and mono.size:
        mono = soxr.resample(mono, rate, sample_rate)
    if mono.dtype == np.int16:
        return mono
    return np.clip(np.rint(mono * FULL_SCALE), -32768, 32767).astype(np.int16)
