"""Tones, and how to measure them, for the tests of augmentations."""

import numpy as np

RATE = 16000


def tone(hz: float, amplitude: float = 8000.0, seconds: float = 1.0) -> np.ndarray:
    """float32 `[samples]`."""
    t = np.arange(int(RATE * seconds)) / RATE
    return (amplitude * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def strongest_hz(audio: np.ndarray) -> float:
    """Of the middle half, by a long FFT: within 0.3 Hz."""
    middle = audio[len(audio) // 4 : -len(audio) // 4].astype(float)
    size = 1 << 16
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), size))
    return float(np.argmax(spectrum) * RATE / size)


def level(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(audio.astype(float)))))
