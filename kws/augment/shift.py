"""Move a word within its clip."""

import numpy as np

EDGE_FADE_MS = 5


def shift_range(start: int, stop: int, num_samples: int, limit_samples: int) -> tuple[int, int]:
    """How far a word from `start` to `stop` may move, earlier (<= 0) and later (>= 0).

    At most `limit_samples`, and never so far that a part of it leaves the clip: half a keyword is
    no keyword, and would be labelled as one.
    """
    return -min(limit_samples, start), min(limit_samples, num_samples - stop)


def shifted(audio: np.ndarray, by_samples: int, sample_rate: int) -> np.ndarray:
    """The clip moved later by `by_samples` (earlier if negative), as float32 `[samples]`.

    What enters is zeros. The clip's own edges are faded over 5 ms: a recording's noise floor that
    begins at once is a click, which a model would learn as the mark of a word.
    """
    moved = fade_edges(audio, sample_rate)
    if by_samples > 0:
        return np.concatenate([np.zeros(by_samples, np.float32), moved[:-by_samples]])
    if by_samples < 0:
        return np.concatenate([moved[-by_samples:], np.zeros(-by_samples, np.float32)])
    return moved


def fade_edges(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """float32 `[samples]` whose first and last 5 ms rise from and fall to nothing."""
    faded = audio.astype(np.float32)
    fade = min(sample_rate * EDGE_FADE_MS // 1000, len(audio) // 2)
    ramp = np.linspace(0.0, 1.0, fade, endpoint=False, dtype=np.float32)
    faded[:fade] *= ramp
    faded[len(audio) - fade :] *= ramp[::-1]
    return faded
