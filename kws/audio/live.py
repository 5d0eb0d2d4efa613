"""Live sound from a microphone or a pipe, as int16 at one sample rate.

A pipe carries raw samples or a WAV header before them. The header is read, and rate and channels
are converted. What cannot be read is refused: compressed sound taken for samples also gives
detections, and wrong ones.
"""

import queue
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import soxr

from kws.audio.container import SIGNATURES, ffmpeg_demuxer, format_name
from kws.audio.loudness import FULL_SCALE, LARGEST_FLOAT, ChannelPowers
from kws.audio.read import MAX_CHANNELS, RATES_HZ
from kws.audio.riff import FLOAT, MAX_CHUNKS, PCM, Fmt, is_placeholder
from kws.errors import KwsError

CHUNK_MS = 40
"""About as much is handed on at a time; a pipe may give less."""
MAX_BEHIND_S = 60
"""A microphone that is not kept up with for so long is given up."""


def from_microphone(sample_rate: int, device: str | int | None = None) -> Iterator[np.ndarray]:
    """Chunks of a microphone, until the process is interrupted.

    The device is asked for `sample_rate`; one that cannot do it is heard at its own and resampled.

    Args:
      sample_rate: Hz wanted.
      device: name or number as of `python -m sounddevice`; None: the system's default.

    Raises:
      KwsError: `sounddevice` or PortAudio is not installed, there is no such device, or what is
        heard is not taken for a minute.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise KwsError(
            "the microphone needs the package sounddevice, which is not installed",
            hint='uv sync --extra microphone, or pip install sounddevice; a pipe ("-") needs none',
        ) from error
    except OSError as error:
        raise KwsError(
            f"sounddevice finds no PortAudio: {error}", hint="apt install libportaudio2"
        ) from error

    heard: queue.Queue[bytes] = queue.Queue(maxsize=MAX_BEHIND_S * 1000 // CHUNK_MS)

    def arrived(content: Any, frames: int, time: Any, status: Any) -> None:
        heard.put_nowait(bytes(content))

    try:
        rate = sample_rate
        try:
            sounddevice.check_input_settings(
                device=device, channels=1, dtype="int16", samplerate=rate
            )
        except sounddevice.PortAudioError:
            rate = int(sounddevice.query_devices(device, "input")["default_samplerate"])
        stream = sounddevice.RawInputStream(
            samplerate=rate,
            blocksize=rate * CHUNK_MS // 1000,
            device=device,
            channels=1,
            dtype="int16",
            callback=arrived,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise KwsError(
            f"no microphone: {error}", hint="python -m sounddevice lists the devices"
        ) from error

    def chunks() -> Iterator[np.ndarray]:
        with stream:
            while not heard.full():
                yield np.frombuffer(heard.get(), np.int16)
        raise KwsError(f"the model is {MAX_BEHIND_S} s behind the microphone", hint="a smaller one")

    yield from at_rate(chunks(), rate, sample_rate)


def at_rate(chunks: Iterator[np.ndarray], rate: int, wanted: int) -> Iterator[np.ndarray]:
    """Chunks of int16 mono at another rate; the same ones where it is no other."""
    if rate == wanted:
        yield from chunks
        return
    resampler = soxr.ResampleStream(rate, wanted, 1, dtype="int16", quality="HQ")
    for chunk in chunks:
        yield resampler.resample_chunk(chunk)
    yield resampler.resample_chunk(np.zeros(0, np.int16), last=True)


RAW_HINT = (
    "ffmpeg -i RECORDING -f s16le -ac 1 -ar 16000 - | kws listen -; or kws detect RECORDING, "
    "which reads any format"
)
_HEAD_BYTES = 12
_MAX_FMT_BYTES = 1 << 16
_SKIPPED_BYTES = 1 << 16
_COMPRESSED = tuple(signature for signature in SIGNATURES if len(signature) >= 3)


def from_pipe(
    pipe: BinaryIO, sample_rate: int, pipe_rate: int | None = None
) -> Iterator[np.ndarray]:
    """Chunks of a pipe, as soon as there are any: int16 mono at one rate.

    Args:
      pipe: 16-bit little-endian mono samples, or a WAV; unbuffered or buffered; ends the stream
        when it ends. Half a sample at its end is lost.
      sample_rate: Hz wanted.
      pipe_rate: Hz of raw samples; None: the same. A WAV says its own.

    Raises:
      KwsError: there is a header, and what it says cannot be read or is not what `pipe_rate` says.
    """
    stream = _Stream(pipe)
    head = stream.exactly(_HEAD_BYTES)
    if head[:4] in (b"RIFF", b"RF64"):
        fmt, size = _header(stream, head)
        if pipe_rate not in (None, fmt.rate):
            raise KwsError(
                f"--rate {pipe_rate}: the WAV in the pipe says {fmt.rate} Hz", hint="leave it out"
            )
        yield from at_rate(_wav_chunks(stream, fmt, size), fmt.rate, sample_rate)
        return
    demuxer = ffmpeg_demuxer(head) if head[:1] != b"\xff" else ""  # Samples may begin like AAC.
    if demuxer or head.startswith(_COMPRESSED):
        kind = format_name(demuxer) if demuxer else repr(head[:4].decode("latin-1"))
        raise KwsError(
            f"what comes through the pipe is a recording ({kind}), not samples or a WAV",
            hint=RAW_HINT,
        )
    rate = pipe_rate or sample_rate
    yield from at_rate(_raw_chunks(stream, head, rate), rate, sample_rate)


class _Stream:
    """A pipe that is read as it comes, or until so much has come."""

    def __init__(self, pipe: BinaryIO):
        # What there is, without waiting for a whole chunk: a person wants to see it now.
        self.some = getattr(pipe, "read1", pipe.read)

    def exactly(self, size: int) -> bytes:
        """Reads `size` bytes, or fewer if the pipe ends first."""
        content = b""
        while len(content) < size and (more := self.some(size - len(content))):
            content += more
        return content

    def skip(self, size: int) -> None:
        while size > 0 and (content := self.some(min(size, _SKIPPED_BYTES))):
            size -= len(content)


def _raw_chunks(stream: _Stream, head: bytes, rate: int) -> Iterator[np.ndarray]:
    size = 2 * (rate * CHUNK_MS // 1000)
    rest, content = b"", head
    while content:
        content = rest + content
        whole = len(content) // 2 * 2
        rest = content[whole:]
        yield np.frombuffer(content[:whole], "<i2").astype(np.int16)
        content = stream.some(size)


def _header(stream: _Stream, head: bytes) -> tuple[Fmt, int | None]:
    """Format and bytes of the samples, which come next; None: until the pipe ends.

    Raises:
      KwsError: it is none that can be read.
    """
    if head[8:] != b"WAVE":
        raise KwsError(
            f"the pipe begins with a RIFF header, but its type is {head[8:]!r}, not WAVE",
            hint=RAW_HINT,
        )
    fmt: Fmt | None = None
    wide: int | None = None
    for _ in range(MAX_CHUNKS):
        start = stream.exactly(8)
        if len(start) < 8:
            break
        name, size = struct.unpack("<4sI", start)
        if name == b"data":
            if fmt is None:
                break
            _check(fmt)
            if head[:4] == b"RF64" and size == 0xFFFFFFFF:
                return fmt, wide
            return fmt, None if is_placeholder(size) else size
        content = b""
        if name in (b"fmt ", b"ds64"):
            content = stream.exactly(min(size, _MAX_FMT_BYTES))
        stream.skip(size + size % 2 - len(content))
        if name == b"fmt ":
            fmt = Fmt.parse(content)
        elif name == b"ds64" and len(content) >= 16:
            found = struct.unpack_from("<Q", content, 8)[0]
            wide = found if 0 < found < 1 << 62 else None
    raise KwsError("the WAV in the pipe has no format or no samples", hint=RAW_HINT)


def _check(fmt: Fmt) -> None:
    low, high = RATES_HZ
    known = (fmt.tag == PCM and fmt.bits in (8, 16, 24, 32)) or (
        fmt.tag == FLOAT and fmt.bits in (32, 64)
    )
    if not known:
        raise KwsError(
            f"the WAV in the pipe has format {fmt.tag} of {fmt.bits} bits: PCM of 8 to 32 and "
            "float are read",
            hint=RAW_HINT,
        )
    if not low <= fmt.rate <= high or not 1 <= fmt.channels <= MAX_CHANNELS:
        raise KwsError(
            f"the WAV in the pipe says {fmt.rate} Hz and {fmt.channels} channels: {low} to {high} "
            f"Hz and 1 to {MAX_CHANNELS} are read",
            hint=RAW_HINT,
        )
    if fmt.contradiction:
        raise KwsError(
            f"the header of the WAV in the pipe contradicts itself: {fmt.contradiction}",
            hint=RAW_HINT,
        )


def _wav_chunks(stream: _Stream, fmt: Fmt, size: int | None) -> Iterator[np.ndarray]:
    """The samples, averaged over the channels (or of one, where these cancel each other)."""
    most = fmt.block_bytes * max(1, fmt.rate * CHUNK_MS // 1000)
    powers = ChannelPowers(fmt.channels)
    rest, odd = b"", (size or 0) % 2
    channel: int | None = None
    while size is None or size > 0:
        content = stream.some(most if size is None else min(size, most))
        if not content:
            return
        size = None if size is None else size - len(content)
        content = rest + content
        whole = len(content) // fmt.block_bytes * fmt.block_bytes
        rest = content[whole:]
        if not whole:
            continue
        block = _samples(content[:whole], fmt)
        powers.add(block)
        # A second shows it. Once a channel is taken it is kept: a change would be a click.
        if channel is None and powers.frames >= fmt.rate:
            channel = powers.channel_to_take()
        mono = block.mean(axis=1) if channel is None else block[:, channel]
        yield np.clip(np.rint(mono * FULL_SCALE), -32768, 32767).astype(np.int16)
    stream.skip(odd)
    _check_end(stream)


def _samples(content: bytes, fmt: Fmt) -> np.ndarray:
    """Float `[frames, channels]` of full scale 1.

    Raises:
      KwsError: a float sample is NaN or far beyond full scale.
    """
    if fmt.tag == FLOAT:
        samples = np.frombuffer(content, f"<f{fmt.bits // 8}").astype(np.float64)
        peak = np.abs(samples).max()
        if not peak <= LARGEST_FLOAT:
            raise KwsError(
                f"a float sample in the pipe is {peak:g}: full scale is 1", hint=RAW_HINT
            )
    elif fmt.bits == 8:
        samples = (np.frombuffer(content, np.uint8).astype(np.float64) - 128) / 128
    elif fmt.bits == 24:
        padded = np.zeros((len(content) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, 3)
        samples = padded.view("<i4")[:, 0] / 2.0**31
    else:
        samples = np.frombuffer(content, f"<i{fmt.bits // 8}") / 2.0 ** (fmt.bits - 1)
    return samples.reshape(-1, fmt.channels)


def _check_end(stream: _Stream) -> None:
    """Chunks may follow the samples, and more samples may not.

    Raises:
      KwsError: they do.
    """
    while len(start := stream.exactly(8)) == 8:
        name, size = struct.unpack("<4sI", start)
        if name in (b"data", b"RIFF", b"RF64"):
            raise KwsError(
                "there is a second recording in the pipe, which is not heard",
                hint="one WAV a pipe, or raw samples",
            )
        stream.skip(size + size % 2)
