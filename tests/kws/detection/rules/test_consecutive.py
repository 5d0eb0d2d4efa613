"""The rule of rows in a row against counters of runs, as one would write it on a device."""

import numpy as np
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.detection.detector import Detector, detect
from kws.detection.params import DetectorParams, OperatingPointParams, StreamingParams

LABELS = ["_silence_", "_unknown_", "jarvis", "nabu"]
STRIDE_MS = 30


def counted(rows, in_a_row, threshold, quiet_rows):
    """Rows that fire and which word: each word counts its rows at or above the threshold."""
    runs = [0] * rows.shape[1]
    last = -quiet_rows
    fired = []
    for i, row in enumerate(rows):
        runs = [run + 1 if score >= threshold else 0 for run, score in zip(runs, row, strict=True)]
        able = [word for word, run in enumerate(runs) if run >= in_a_row]
        if able and i - last >= quiet_rows:
            sureness = {word: min(rows[i - in_a_row + 1 : i + 1, word]) for word in able}
            best = max(able, key=lambda word: (sureness[word], -word))
            fired.append((i, best, sureness[best]))
            last = i
    return fired


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 80),
    in_a_row=st.integers(1, 6),
    quiet_rows=st.integers(1, 30),
    threshold=st.sampled_from([0.25, 0.5, 0.75]),
)
def test_both_forms_fire_where_a_word_has_counted_enough_rows(
    seed, count, in_a_row, quiet_rows, threshold
):
    rng = np.random.default_rng(seed)
    level = rng.choice([0, 64, 128, 192, 255], (count, 4)) / 256
    rows = np.repeat(level, rng.integers(1, 6, count), axis=0)[:count].reshape(-1, 4)
    params = DetectorParams(
        rule="consecutive",
        clip_stride_ms=STRIDE_MS,
        minimum_count=in_a_row,
        detection_threshold=threshold,
        suppression_ms=quiet_rows * STRIDE_MS,
    )
    times = STRIDE_MS * (1 + np.arange(len(rows)))
    whole = detect(times, rows, params, LABELS)
    assert [(one.start_ms, one.end_ms, one.label, one.score) for one in whole] == [
        (times[i - in_a_row + 1], times[i], LABELS[2 + word], score)
        for i, word, score in counted(rows[:, 2:], in_a_row, threshold, quiet_rows)
    ]
    detector = Detector(params, LABELS)
    steps = [detector.step(int(t), row) for t, row in zip(times, rows, strict=True)]
    assert [one for one in steps if one] == whole


def test_loud_rows_that_are_not_in_a_row_fire_nothing():
    rows = np.zeros((9, 4))
    rows[[1, 2, 4, 5, 7, 8], 2] = 0.99
    params = DetectorParams(rule="consecutive", minimum_count=3)
    assert detect(40 * np.arange(9), rows, params, LABELS) == []
    rows[3, 2] = 0.7  # the threshold itself is enough
    assert [one.end_ms for one in detect(40 * np.arange(9), rows, params, LABELS)] == [120]


def test_rows_in_a_row_have_no_window_to_search_and_are_not_counted_where_rows_are_missing():
    with pytest.raises(pydantic.ValidationError, match="rule consecutive averages nothing"):
        StreamingParams(
            detector=DetectorParams(rule="consecutive"),
            operating_point=OperatingPointParams(average_windows_ms=(300,)),
        )
    with pytest.raises(pydantic.ValidationError, match=r"consecutive_counts=\[3\]: behind the"):
        StreamingParams(
            cascade={"first_stage": "somewhere"},
            operating_point=OperatingPointParams(consecutive_counts=(3,)),
        )
    with pytest.raises(pydantic.ValidationError, match="greater than or equal to 1"):
        OperatingPointParams(consecutive_counts=(0,))
