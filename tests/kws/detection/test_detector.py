"""The detector's rule on hand-made posteriors, and both of its forms against each other."""

import numpy as np
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.detection.detector import Detector, detect, fire, smooth
from kws.detection.params import DetectorParams
from tests.kws.detection.drawing import LABELS, row

PARAMS = DetectorParams(
    average_window_ms=300,
    clip_stride_ms=100,
    minimum_count=3,
    detection_threshold=0.5,
    suppression_ms=500,
)
NOTHING = row()


def _detect(rows: list[np.ndarray], params: DetectorParams = PARAMS, **changes: object):
    """Detections of rows 100 ms apart, the first at 1000 ms."""
    times = 1000 + 100 * np.arange(len(rows))
    return detect(times, np.stack(rows), params.model_copy(update=changes), LABELS)


def test_a_keyword_fires_when_the_average_of_the_window_reaches_the_threshold() -> None:
    # Averages of "yes" over three rows:       0   0  0.25  0.5  0.75
    detections = _detect([NOTHING, NOTHING, row(yes=0.75), row(yes=0.75), row(yes=0.75)])
    (detection,) = detections
    assert (detection.label, detection.score) == ("yes", 0.5)
    assert (detection.start_ms, detection.end_ms) == (1100, 1300)


def test_a_short_peak_is_averaged_away() -> None:
    assert _detect([NOTHING] * 3 + [row(yes=1)] + [NOTHING] * 3) == []


def test_nothing_fires_before_the_minimum_count() -> None:
    sure = [row(yes=1)] * 3
    assert [d.end_ms for d in _detect(sure, minimum_count=2)] == [1100]
    assert [d.end_ms for d in _detect(sure, minimum_count=3)] == [1200]
    assert _detect(sure[:2], minimum_count=3) == []


def test_silence_and_unknown_never_fire_and_never_outvote_a_keyword() -> None:
    assert _detect([row(_unknown_=1)] * 10) == []
    assert _detect([row()] * 10) == []
    (detection,) = _detect(
        [row(_unknown_=0.55, yes=0.45)] * 4, detection_threshold=0.4, suppression_ms=9000
    )
    assert detection.label == "yes"


def test_any_detection_suppresses_every_keyword_for_the_time_set() -> None:
    rows = [row(yes=1)] * 3 + [row(no=1)] * 9
    detections = _detect(rows)
    # "yes" at 1200; "no" leads from 1400 and must wait until 1700; it holds on, and fires again.
    assert [(d.label, d.end_ms) for d in detections] == [("yes", 1200), ("no", 1700)]
    assert [(d.label, d.end_ms) for d in _detect(rows, suppression_ms=400)][1:] == [
        ("no", 1600),
        ("no", 2000),
    ]


def test_the_first_of_equal_keywords_wins() -> None:
    (detection,) = _detect([row(yes=0.5, no=0.5)] * 3)
    assert detection.label == "yes"


def test_rows_missing_in_time_do_not_count_towards_the_average() -> None:
    times = np.array([1000, 1100, 1200, 2000, 2100])
    detections = detect(times, np.stack([NOTHING] * 3 + [row(yes=1)] * 2), PARAMS, LABELS)
    assert detections == []  # Only two rows lie within the last 300 ms.


def test_a_sweep_smooths_once_and_equals_detecting_at_each_threshold() -> None:
    rng = np.random.default_rng(0)
    times, posteriors = 40 * np.arange(2000), rng.dirichlet(np.full(5, 0.2), 2000)
    smoothed = smooth(times, posteriors, PARAMS, LABELS)
    for threshold in (0.2, 0.5, 0.8):
        params = PARAMS.model_copy(update={"detection_threshold": threshold})
        assert fire(smoothed, threshold) == detect(times, posteriors, params, LABELS)


HELD = [row(yes=1)] * 12  # 1.2 s, longer than any suppression here
LOW = [NOTHING] * 2  # the average of three rows falls to 1/3


def _fired(rows: list[np.ndarray], **changes: object) -> list[tuple[str, int]]:
    return [(one.label, one.end_ms) for one in _detect(rows, **changes)]


def test_with_rearm_a_word_that_holds_its_score_fires_once() -> None:
    assert _fired(HELD + LOW) == [("yes", 1200), ("yes", 1700), ("yes", 2200)]
    assert _fired(HELD + LOW, rearm=True) == [("yes", 1200)]


def test_with_rearm_a_word_fires_again_once_its_average_was_below_the_threshold() -> None:
    assert _fired(HELD + LOW + HELD, rearm=True) == [("yes", 1200), ("yes", 2500)]
    dip = [row(yes=0.25)]  # the average stays at 0.75
    assert _fired(HELD + dip + HELD, rearm=True) == [("yes", 1200)]


def test_with_rearm_another_keyword_need_not_wait_for_more_than_suppression() -> None:
    both = [row(yes=0.6, no=0.4)] * 4 + [row(yes=0.4, no=0.6)] * 9
    assert _fired(both, rearm=True, detection_threshold=0.35) == [("yes", 1200), ("no", 1700)]


def test_rearm_is_of_the_rule_average() -> None:
    with pytest.raises(pydantic.ValidationError, match="rearm=True goes with rule average"):
        DetectorParams(rule="steps", rearm=True)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.lists(st.sampled_from([20, 40, 100, 700]), max_size=60),
    window_ms=st.integers(40, 900),
    minimum_count=st.integers(1, 4),
    threshold=st.sampled_from([0.25, 0.5, 0.6, 0.9]),
    suppression_ms=st.integers(0, 1500),
    coarse=st.booleans(),
    rule=st.sampled_from(["average", "rearm", "sliding_mean", "consecutive", "steps"]),
)
def test_a_whole_stream_gives_what_row_by_row_gives(
    seed: int,
    steps: list[int],
    window_ms: int,
    minimum_count: int,
    threshold: float,
    suppression_ms: int,
    coarse: bool,
    rule: str,
) -> None:
    params = DetectorParams(
        rule="average" if rule == "rearm" else rule,
        rearm=rule == "rearm",
        steps_between=1 + suppression_ms // 100,
        average_window_ms=window_ms,
        clip_stride_ms=10,
        minimum_count=minimum_count,
        detection_threshold=threshold,
        suppression_ms=suppression_ms,
    )
    posteriors = np.random.default_rng(seed).dirichlet(np.full(5, 0.3), len(steps))
    if coarse:  # Many equal averages, and averages that equal the threshold.
        posteriors = np.round(posteriors * 4) / 4
    posteriors = posteriors.astype(np.float32)
    times = np.cumsum(np.array(steps, np.int64))
    detector = Detector(params, LABELS)
    steps_say = [detector.step(int(t), p) for t, p in zip(times, posteriors, strict=True)]
    assert detect(times, posteriors, params, LABELS) == [d for d in steps_say if d]


@pytest.mark.parametrize("rule", ["average", "sliding_mean", "consecutive", "steps"])
def test_times_must_rise_in_both_forms(rule: str) -> None:
    params = PARAMS.model_copy(update={"rule": rule})
    detector = Detector(params, LABELS)
    detector.step(1000, NOTHING)
    with pytest.raises(ValueError, match="time_ms=1000 does not follow 1000"):
        detector.step(1000, NOTHING)
    with pytest.raises(ValueError, match="rise"):
        detect(np.array([1000, 1000]), np.stack([NOTHING] * 2), params, LABELS)


def test_a_minimum_count_that_can_never_be_reached_is_refused() -> None:
    with pytest.raises(pydantic.ValidationError, match="nothing could ever be detected"):
        DetectorParams(average_window_ms=100, clip_stride_ms=40, minimum_count=4)
