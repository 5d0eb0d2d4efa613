"""microWakeWord's rule against a transcript of what ESPHome's device does, ring and counters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.detection.detector import Detector, detect
from kws.detection.params import DetectorParams

LABELS = ["_silence_", "_unknown_", "jarvis", "nabu"]
STRIDE_MS = 30


def device(rows, size, cutoff, quiet_rows):
    """Rows that fire, and which word: a ring of zeros for each word, and a count of rows to ignore.

    The device's probabilities are bytes; sums of them are exact, here as there.
    """
    rings = np.zeros((len(rows[0]), size))
    ignore = 0
    fired = []
    for i, row in enumerate(rows):
        rings[:, i % size] = row
        ignore = max(0, ignore - 1)
        sums = rings.sum(axis=1)
        best = int(np.argmax(sums))
        if ignore == 0 and sums[best] > cutoff * size:
            fired.append((i, best, sums[best] / size))
            rings[:] = 0
            ignore = quiet_rows
    return fired


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 80),
    size=st.integers(1, 12),
    quiet_rows=st.integers(0, 30),
    cutoff=st.sampled_from([0.25, 0.5, 0.75]),
)
def test_a_device_fires_where_both_forms_do(seed, count, size, quiet_rows, cutoff):
    rng = np.random.default_rng(seed)
    # Bytes / 256 in long runs, so that means reach the cutoff, and at times equal it.
    level = rng.choice([0, 64, 128, 192, 255], (count, 4)) / 256
    rows = np.repeat(level, rng.integers(1, 6, count), axis=0)[:count]
    params = DetectorParams(
        rule="sliding_mean",
        average_window_ms=size * STRIDE_MS,
        clip_stride_ms=STRIDE_MS,
        detection_threshold=cutoff,
        suppression_ms=quiet_rows * STRIDE_MS,
    )
    times = STRIDE_MS * (1 + np.arange(count))
    whole = detect(times, rows, params, LABELS)
    assert [(one.end_ms, one.label, one.score) for one in whole] == [
        (times[i], LABELS[2 + word], pytest.approx(mean))
        for i, word, mean in device(rows[:, 2:], size, cutoff, quiet_rows)
    ]
    detector = Detector(params, LABELS)
    steps = [detector.step(int(t), row) for t, row in zip(times, rows, strict=True)]
    assert [one for one in steps if one] == whole


PARAMS = DetectorParams(
    rule="sliding_mean",
    average_window_ms=100,
    clip_stride_ms=20,
    detection_threshold=0.5,
    suppression_ms=0,
)


def _fires_at(probabilities):
    rows = np.zeros((len(probabilities), 4))
    rows[:, 2] = probabilities
    return [one.end_ms // 20 for one in detect(20 * np.arange(len(rows)), rows, PARAMS, LABELS)]


def test_a_mean_equal_to_the_cutoff_is_not_enough():
    assert _fires_at([0.5] * 9) == []


def test_zeros_stand_for_what_was_not_heard_yet_and_for_what_a_detection_has_used_up():
    # Three of five rows at 0.9 make 0.54.
    assert _fires_at([0.9] * 9) == [2, 5, 8]
