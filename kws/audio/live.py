"""Sound as it comes in from a microphone, int16 at one rate (from a pipe: `kws.audio.pipe`)."""

import queue
from collections.abc import Iterator
from typing import Any

import numpy as np
import soxr

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
