"""Read: a file in any format of libsndfile becomes 16-bit mono at one sample rate, or a reason.

WAV (8 to 32 bits, float), FLAC, Ogg Vorbis, Ogg Opus, MP3 and what else libsndfile knows. Channels
are averaged, rates converted by soxr (high quality). Memory is bounded by `max_duration_ms` and
`MAX_FRAMES`: the header is believed when it says too long, and never when it says short enough.
"""

import dataclasses
import math
import os
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from kws.audio import container
from kws.audio.container import Unreadable

FULL_SCALE = 32768.0
BLOCK_SAMPLES = 1 << 20
"""Decoded at once, of all channels."""
MAX_FRAMES = 1 << 26
"""Held in memory, whatever the sample rate: 23 minutes at 48 kHz."""
MAX_CHANNELS = 64
RATES_HZ = (2000, 400_000)
"""Sample rates outside this range are taken for a broken header."""
Source = str | os.PathLike[str] | BinaryIO


@dataclasses.dataclass(frozen=True)
class Recording:
    """What was read.

    Attributes:
      audio: int16 mono `[samples]` at the sample rate that was asked for.
      original_rate: Hz, in the file.
      original_channels: in the file.
    """

    audio: np.ndarray
    original_rate: int
    original_channels: int


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
      max_duration_ms, min_duration_ms: longer and shorter recordings (or parts) are refused.
      silent_dbfs: refuse recordings whose RMS about their mean is below; None accepts silence.
      start_ms, end_ms: of the part; None: to the end.

    Raises:
      Unreadable: with one of its reasons.
    """
    with _open(source) as file:
        rate, channels = file.samplerate, file.channels
        start, frames = _part(file, start_ms, end_ms)
        _check_duration(frames / rate * 1000, max_duration_ms, min_duration_ms)
        if start:
            _seek(file, start)
        whole = end_ms is None
        most = math.ceil(rate * max_duration_ms / 1000) if whole else frames
        _check_frames(frames)
        most = min(most, MAX_FRAMES)
        mono = _decode(file, most, exactly=not whole)
    _check_duration(mono.size / rate * 1000, max_duration_ms, min_duration_ms)
    _check_frames(mono.size)
    audio = _to_int16(mono, rate, sample_rate)
    if silent_dbfs is not None:
        level = 20 * math.log10(max(float(audio.std(dtype=np.float64)), 1e-9) / FULL_SCALE)
        if level < silent_dbfs:
            raise Unreadable("silent", f"{max(level, -100):.0f} dBFS RMS, below {silent_dbfs:g}")
    return Recording(audio, rate, channels)


def read_window(
    source: Source, start_ms: float, duration_ms: float, sample_rate: int = 16000
) -> Recording:
    """Reads one window of a long recording without decoding the rest.

    Returns:
      Exactly `duration_ms` of audio, padded with zeros where the recording ends sooner.

    Raises:
      Unreadable: as `read`.
    """
    with _open(source) as file:
        rate, channels = file.samplerate, file.channels
        _seek(file, min(file.frames, round(start_ms * rate / 1000)))
        frames = round(duration_ms * rate / 1000)
        _check_frames(frames)
        mono = _decode(file, frames, exactly=True)
    audio = _to_int16(mono, rate, sample_rate)
    samples = round(duration_ms * sample_rate / 1000)
    audio = np.pad(audio[:samples], (0, max(0, samples - audio.size)))
    return Recording(audio, rate, channels)


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
    with _open(source) as file:
        rate = file.samplerate
        frames = round(rate * max_duration_ms / 1000)
        _check_frames(frames * file.channels)
        try:
            block = file.read(frames, dtype="float32", always_2d=True)[:, 0]
        except soundfile.LibsndfileError as error:
            raise Unreadable("truncated", _sentence(error)) from error
    if not np.isfinite(block).all():
        raise Unreadable("not_finite", "a sample is NaN or infinite")
    return soxr.resample(block, rate, sample_rate) if rate != sample_rate and block.size else block


def duration_ms(source: Source) -> float:
    """The length of a recording by its header.

    Raises:
      Unreadable: as `read`.
    """
    with _open(source) as file:
        return file.frames / file.samplerate * 1000


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


def _seek(file: soundfile.SoundFile, frame: int) -> None:
    try:
        file.seek(frame)
    except soundfile.LibsndfileError as error:
        raise Unreadable("malformed", f"cannot seek: {_sentence(error)}") from error


def _open(source: Source) -> soundfile.SoundFile:
    """Opens what looks sound so far; the caller closes it."""
    if isinstance(source, str | os.PathLike):
        try:
            with open(source, "rb") as stream:
                container.check(stream)
        except OSError as error:
            raise Unreadable("io_error", error.strerror or str(error)) from error
        return _sound_file(os.fspath(source))
    container.check(source)
    source.seek(0)
    return _sound_file(source)


def _sound_file(source: str | BinaryIO) -> soundfile.SoundFile:
    try:
        file = soundfile.SoundFile(source)
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:
        # TypeError: a name that ends in .raw, which has no header to read.
        reason = "malformed" if container.signed(source) else "not_audio"
        raise Unreadable(reason, _sentence(error)) from error
    low, high = RATES_HZ
    if not low <= file.samplerate <= high:
        file.close()
        raise Unreadable("unsupported_rate", f"{file.samplerate} Hz, not {low} to {high}")
    if file.channels > MAX_CHANNELS:
        file.close()
        raise Unreadable("too_many_channels", f"{file.channels}, at most {MAX_CHANNELS}")
    return file


def _sentence(error: Exception) -> str:
    return getattr(error, "error_string", str(error)).strip().rstrip(".")


def _check_duration(duration: float, longest_ms: float, shortest_ms: float) -> None:
    if duration > longest_ms:
        raise Unreadable("too_long", f"{duration:.0f} ms, at most {longest_ms:g}")
    if duration < shortest_ms or duration <= 0:
        raise Unreadable("too_short", f"{duration:.0f} ms, at least {max(shortest_ms, 1):g}")


def _check_frames(frames: int) -> None:
    if frames > MAX_FRAMES:
        raise Unreadable("too_long", f"{frames:,} samples, at most {MAX_FRAMES:,}")


def _decode(file: soundfile.SoundFile, most_frames: int, exactly: bool = False) -> np.ndarray:
    """Mono samples: int16 where the file is 16-bit mono, else float32 of full scale 1.

    One frame more than `most_frames` is read unless `exactly`, so that the caller sees a
    recording that is longer than its header said.
    """
    plain = file.channels == 1 and file.subtype == "PCM_16"
    left = most_frames if exactly else most_frames + 1
    blocks: list[np.ndarray] = []
    try:
        while left > 0:
            asked = min(left, max(1, BLOCK_SAMPLES // file.channels))
            block = file.read(asked, dtype="int16" if plain else "float32", always_2d=True)
            blocks.append(block[:, 0] if file.channels == 1 else block.mean(axis=1))
            left -= len(block)
            if len(block) < asked:
                break
    except soundfile.LibsndfileError as error:
        raise Unreadable("truncated", _sentence(error)) from error
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)


def _to_int16(mono: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    if mono.dtype != np.int16 and not np.isfinite(mono).all():
        raise Unreadable("not_finite", "a sample is NaN or infinite")
    if rate != sample_rate and mono.size:
        if mono.dtype == np.int16:
            mono = mono.astype(np.float32) / FULL_SCALE
        mono = soxr.resample(mono, rate, sample_rate)
    if mono.dtype == np.int16:
        return mono
    return np.clip(np.rint(mono * FULL_SCALE), -32768, 32767).astype(np.int16)
