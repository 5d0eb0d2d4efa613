"""Clipping: a microphone or an amplifier driven too hard."""

import numpy as np

from kws.augment.level import amplitude


def clip_peaks(audio: np.ndarray, overdrive_db: float) -> np.ndarray:
    """Cuts what is less than `overdrive_db` below the highest peak; the rest is untouched.

    The level at which it clips follows the audio, as an amplifier before the last gain does: a
    clipped word is not always a loud one.

    Args:
      audio: float32 or int16 `[samples]`.
      overdrive_db: how far the peak would have passed the limit; 0 cuts nothing.

    Returns:
      The same dtype and shape.

    Raises:
      ValueError: `overdrive_db` is negative.
    """
    if overdrive_db < 0:
        raise ValueError(f"overdrive_db={overdrive_db}: must not be negative")
    # abs of the int16 -32768 would be itself.
    peak = float(np.abs(audio.astype(np.float32)).max(initial=0.0))
    limit = peak / amplitude(overdrive_db)
    return np.clip(audio, -limit, limit).astype(audio.dtype)
