"""The trigger-word rule against the assignment's own loop, in batch and step by step."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.detection.detector import Detector, detect
from kws.detection.params import DetectorParams
from tests.kws.detection.drawing import LABELS, row

STEP_MS = 4 * 80 / 44.1


def assignments_chimes(scores, steps_between):
    """Steps that chime: the loop of `chime_on_activate`, able to chime from the first step on."""
    chimes, since_last = [], steps_between
    for step, score in enumerate(scores):
        if score >= 0.5 and since_last >= steps_between:
            chimes.append(step)
            since_last = 0
        since_last += 1
    return chimes


def params_of(steps_between):
    return DetectorParams(rule="steps", detection_threshold=0.5, steps_between=steps_between)


@settings(max_examples=60, deadline=None)
@given(
    runs=st.lists(
        st.tuples(st.integers(1, 120), st.sampled_from([0.0, 0.2, 0.5, 0.9])),
        min_size=1,
        max_size=12,
    ),
    steps_between=st.sampled_from([1, 2, 75]),
)
def test_batch_and_step_by_step_chime_where_the_assignment_does(runs, steps_between):
    scores = np.concatenate([np.full(length, score) for length, score in runs])
    params = params_of(steps_between)
    times = np.rint((np.arange(len(scores)) + 1) * STEP_MS).astype(np.int64)
    expected = assignments_chimes(scores, steps_between)
    whole = detect(times, scores[:, None], params, ["activate"])
    assert [found.end_ms for found in whole] == times[expected].tolist()
    detector = Detector(params, ["activate"])
    steps = [detector.step(int(t), np.array([s])) for t, s in zip(times, scores, strict=True)]
    assert [found for found in steps if found] == whole


def test_a_chime_silences_the_other_keywords_as_well():
    posteriors = np.stack([row(yes=0.9), row(no=0.9), row(no=0.9), row(no=0.9)])
    found = detect(10 * np.arange(4), posteriors, params_of(2), LABELS)
    assert [(one.label, one.start_ms, one.end_ms) for one in found] == [
        ("yes", 0, 0),
        ("no", 20, 20),
    ]
