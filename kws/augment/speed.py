"""Speed: faster and higher together, as a tape that runs too fast."""

import numpy as np


def change_speed(audio: np.ndarray, factor: float) -> np.ndarray:
    """Plays the audio `factor` times as fast, by band-limited resampling (libsoxr).

    Every frequency is multiplied by the factor, every duration divided by it; so the formants move
    too, as if the speaker's vocal tract were shorter. What would pass half the sample rate is
    filtered out.

    Args:
      audio: float32 or int16 `[samples]`.
      factor: 2 is an octave higher in half the time.

    Returns:
      The same dtype, `[about samples / factor]`.

    Raises:
      ValueError: the factor is not positive.
    """
    import soxr

    if not factor > 0:
        raise ValueError(f"speed factor={factor}: must be above 0")
    if factor == 1.0 or not audio.size:
        return audio
    return soxr.resample(audio, factor, 1.0)
