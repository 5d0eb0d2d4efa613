"""Streams drawn by hand: words, detections and posteriors as a test's reader sees them."""

import numpy as np

from kws.detection.detector import Detection
from kws.scenes.ground_truth import GroundTruth, Word

LABELS = ["_silence_", "_unknown_", "yes", "no", "tree"]


def said(label: str, start_ms: int, end_ms: int, word: str | None = None) -> Word:
    """A word in the ground truth."""
    return Word(
        label=label,
        word=word or label,
        start_ms=start_ms,
        end_ms=end_ms,
        speaker="someone",
        source="test",
        clip_id=f"{label}-{start_ms}",
        snr_db=10.0,
    )


def truth(
    *words: Word, kind: str = "words", stream_id: str = "s", duration_ms: int = 3_600_000
) -> GroundTruth:
    """A stream of one hour unless told otherwise."""
    return GroundTruth(
        stream_id=stream_id,
        kind=kind,
        duration_ms=duration_ms,
        sample_rate=16000,
        words=list(words),
    )


def heard(label: str, at_ms: int, score: float = 0.9) -> Detection:
    """A detection at a moment."""
    return Detection(label=label, score=score, start_ms=at_ms - 200, end_ms=at_ms)


def row(**scores: float) -> np.ndarray:
    """Posteriors `[labels]`: those named, the rest of the mass on `_silence_`."""
    values = np.zeros(len(LABELS), np.float32)
    for label, score in scores.items():
        values[LABELS.index(label)] = score
    values[0] = 1 - values.sum()
    return values
