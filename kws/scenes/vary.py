"""Varies recordings without keywords: other voices, other places.

Twelve minutes of recordings say little of how rarely a score is high. Faster or slower they are
spoken by other vocal tracts, and in a room or over a background they reach the microphone in
another way, so each version causes different false accepts. The versions are not additional
evidence: they only help to fit the tail of the scores (`kws.streaming.tail`). False accepts and
hours are counted on the original recordings.
"""

from collections.abc import Sequence

import numpy as np

from kws.augment.background import cut_background
from kws.augment.gain import to_int16, with_gain
from kws.augment.level import amplitude, rms
from kws.augment.reverb import reverberate
from kws.augment.rooms import Room
from kws.augment.speed import change_speed

VARIED_FOLDER = "varied"
"""Beside those of the splits: versions of split eval's negatives."""
SPEED = (0.85, 1.18)
SNR_DB = (10.0, 25.0)


def varied(
    audio: np.ndarray,
    backgrounds: Sequence[np.ndarray],
    rooms: Sequence[Room],
    rng: np.random.Generator,
) -> np.ndarray:
    """Another version of a recording: at another speed, and in two of three cases elsewhere.

    Args:
      audio: int16 `[samples]`.
      backgrounds: int16 `[samples]` each, at its rate; over one of them, at 10 to 25 dB.
      rooms: at its rate; reverberating in one of them.
      rng: draws all of it.

    Returns:
      int16 `[about samples / speed]`; turned down where it would pass full scale.
    """
    changed = change_speed(audio.astype(np.float32), float(rng.uniform(*SPEED)))
    place = rng.choice(["same", "room", "background"])
    if place == "room" and rooms:
        changed = reverberate(changed, rooms[int(rng.integers(len(rooms)))])
    elif place == "background" and backgrounds:
        background = backgrounds[int(rng.integers(len(backgrounds)))]
        noise = cut_background(background, len(changed), rng).astype(np.float32)
        level = rms(noise)
        if level > 0:
            snr = amplitude(float(rng.uniform(*SNR_DB)))
            changed = changed + noise * np.float32(rms(changed) / (snr * level))
    return to_int16(with_gain(changed, 1.0))
