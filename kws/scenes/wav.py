"""The content of a WAV file, 16-bit PCM mono."""

import io
import wave

import numpy as np


def to_wav(audio: np.ndarray, sample_rate: int) -> bytes:
    """The file's bytes of int16 `[samples]` at `sample_rate` Hz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.ascontiguousarray(audio, "<i2").tobytes())
    return buffer.getvalue()
