"""The trigger-word rule against the assignment's own loop, in batch and step by step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kws.errors import KwsError
from kws.streaming.chime import chime_detector, step_ends_ms
from kws.streaming.detector import Detector, detect

STEP_MS = 4 * 80 / 44.1
LABELS = ["activate"]


def assignments_chimes(scores, steps_between):
    """Steps that chime: the loop of `chime_on_activate`, able to chime from the first step on."""
    chimes, since_last = [], steps_between
    for step, score in enumerate(scores):
        if score >= 0.5 and since_last >= steps_between:
            chimes.append(step)
            since_last = 0
        since_last += 1
    return chimes


def steps_of(detections, times_ms):
    return [int(np.flatnonzero(times_ms == found.end_ms)[0]) for found in detections]


@given(
    runs=st.lists(
        st.tuples(st.integers(1, 120), st.sampled_from([0.0, 0.2, 0.5, 0.9])),
        min_size=1,
        max_size=12,
    ),
    steps_between=st.sampled_from([1, 2, 75]),
    step_ms=st.sampled_from([STEP_MS, 8.0, 20.0, 2.5]),
)
def test_batch_and_step_by_step_chime_where_the_assignment_does(runs, steps_between, step_ms):
    scores = np.concatenate([np.full(length, score) for length, score in runs])
    params = chime_detector(step_ms, steps_between=steps_between)
    times = np.rint((np.arange(len(scores)) + 1) * step_ms).astype(np.int64)
    expected = assignments_chimes(scores, steps_between)
    assert steps_of(detect(times, scores[:, None], params, LABELS), times) == expected
    detector = Detector(params, LABELS)
    one_by_one = [detector.step(int(t), np.array([s])) for t, s in zip(times, scores, strict=True)]
    assert steps_of([found for found in one_by_one if found], times) == expected


def test_steps_shorter_than_two_milliseconds_are_refused():
    with pytest.raises(KwsError, match=r"step_ms=1\.5"):
        chime_detector(1.5)


def test_a_step_ends_with_the_last_frame_it_hears():
    # 200 samples a frame, 80 between frames, 44.1 kHz; the last step ends with frame 5,510.
    ends = step_ends_ms(1375, 15, 4, 200 / 44.1, 80 / 44.1)
    assert ends[0] == round((14 * 80 + 200) / 44.1)
    assert ends[-1] == round((5510 * 80 + 200) / 44.1) == 10_000
