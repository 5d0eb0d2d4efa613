"""A piece of a background recording, as long as needed."""

import numpy as np

CROSSFADE_SHARE = 0.1
MAX_CROSSFADE_SAMPLES = 8000


def cut_background(
    background: np.ndarray, num_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """A random piece; a recording that is too short is looped with crossfades.

    Args:
      background: int16 `[samples]`, at least one sample.
      num_samples: how long the piece shall be.
      rng: draws where the piece begins.

    Returns:
      int16 `[num_samples]`.

    Raises:
      ValueError: the recording is empty.
    """
    if not background.size:
        raise ValueError("a background recording has no samples")
    if len(background) >= num_samples:
        start = int(rng.integers(len(background) - num_samples + 1))
        return background[start : start + num_samples]
    period = loop_period(background)
    start = int(rng.integers(len(period)))
    return np.resize(np.roll(period, -start), num_samples)


def loop_period(background: np.ndarray) -> np.ndarray:
    """One period of a seamless loop: the recording's end is faded into its own beginning.

    The crossfade has equal power (sine and cosine), so that a noise keeps its level through it. It
    takes a tenth of the recording, at most half a second at 16 kHz; the period is shorter by it.
    """
    fade = min(int(len(background) * CROSSFADE_SHARE), MAX_CROSSFADE_SAMPLES)
    if fade < 2:
        return background
    phase = np.linspace(0.0, np.pi / 2, fade)
    joined = background[:fade] * np.sin(phase) + background[-fade:] * np.cos(phase)
    return np.concatenate([np.clip(np.rint(joined), -32768, 32767), background[fade:-fade]]).astype(
        np.int16
    )
