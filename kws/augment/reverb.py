"""Reverberation: a dry voice as a microphone across the room hears it."""

import numpy as np

from kws.augment.rooms import Room


def reverberate(audio: np.ndarray, room: Room) -> np.ndarray:
    """Convolves the audio with a room's impulse response.

    The direct sound stays where it was, so that a word's times hold; the reverberation past the
    end is cut. The response has unit energy: a noise keeps its level, a voice nearly.

    Args:
      audio: float32 or int16 `[samples]` at the room's sample rate.
      room: see `Room`.

    Returns:
      float32 `[samples]`, in the units of the input.
    """
    from scipy import fft

    # One FFT over all: a clip and a response of 0.4 s are too short for overlap-add to pay.
    size = fft.next_fast_len(len(audio) + len(room.response) - 1, real=True)
    spectrum = fft.rfft(audio.astype(np.float32), size) * fft.rfft(room.response, size)
    wet = fft.irfft(spectrum, size)
    return wet[room.direct_sample : room.direct_sample + len(audio)].astype(np.float32)
