"""Align: any recording of a word becomes a window of exactly the length that the model hears.

A longer recording is cut to its loudest section. The energy of a window is the sum of its squared
samples without what is below some 100 Hz (hum, rumble, offsets: often stronger than the word, and
everywhere). Windows are tried every `HOP_MS`, and at the very end. No margin is added to a word,
for the window is longer than it: of all windows about as loud as the loudest (`PLATEAU`), those
that hold the whole word, the middle one is taken, which leaves as much room before the word as
after it. What is cut is the recording as it is: nothing is filtered, faded or scaled.
"""

import numpy as np

HOP_MS = 10
"""Step of the search for the loudest window."""
PLATEAU = 0.999
"""Windows with this share of the greatest energy count as equally loud."""
SMOOTHED_MS = 4
"""A moving average of this length is subtracted: -24 dB at 50 Hz, -12 dB at 100 Hz, 0 at 250 Hz."""


def sound_power(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """The squares of the samples without low frequencies: int16 `[n]` to float64 `[n]`."""
    half = max(1, sample_rate * SMOOTHED_MS // 2000)
    total = np.cumsum(np.pad(audio, (half + 1, half), "edge"), dtype=np.float64)
    smooth = (total[2 * half :] - total[: -2 * half]) / (2 * half)
    return np.square(audio - smooth[: audio.size])


def window_energies(
    audio: np.ndarray, samples: int, sample_rate: int
) -> tuple[np.ndarray, np.ndarray]:
    """The energy of every window that is tried.

    Args:
      audio: int16 `[n]`, n >= samples.
      samples: length of the window.
      sample_rate: Hz.

    Returns:
      int64 `[windows]`, where each begins, and float64 `[windows]`, its energy.
    """
    energy = np.concatenate([[0.0], np.cumsum(sound_power(audio, sample_rate))])
    last = audio.size - samples
    starts = np.append(np.arange(0, last, max(1, sample_rate * HOP_MS // 1000)), last)
    return starts, energy[starts + samples] - energy[starts]


def loudest_window(audio: np.ndarray, samples: int, sample_rate: int) -> int:
    """Where the loudest window begins; arguments as `window_energies`."""
    starts, energies = window_energies(audio, samples, sample_rate)
    best = int(energies.argmax())
    quieter = np.flatnonzero(energies < PLATEAU * energies[best])
    before, after = quieter[quieter < best], quieter[quieter > best]
    first = before[-1] + 1 if before.size else 0
    final = after[0] - 1 if after.size else starts.size - 1
    return int(starts[(first + final) // 2])


def window_start(audio: np.ndarray, samples: int, sample_rate: int) -> int:
    """Where `align`'s window begins; negative where the recording is padded in front.

    Args:
      audio: int16 `[n]`.
      samples: length of the window.
      sample_rate: Hz.
    """
    if audio.size > samples:
        return loudest_window(audio, samples, sample_rate)
    return -((samples - audio.size) // 2)


def align(audio: np.ndarray, samples: int, sample_rate: int) -> np.ndarray:
    """Cuts to the loudest window, or pads with zeros on both sides alike.

    Args:
      audio: int16 `[n]`.
      samples: the length wanted.
      sample_rate: Hz.

    Returns:
      int16 `[samples]`; the same array if it has that length already.
    """
    if audio.size == samples:
        return audio
    start = window_start(audio, samples, sample_rate)
    if audio.size > samples:
        return audio[start : start + samples]
    return np.pad(audio, (-start, samples - audio.size + start))
