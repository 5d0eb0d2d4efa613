"""Named sensitivities: what each is chosen by, their order, and what is said of them."""

import json

import numpy as np
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.detection.det import DetCurve, DetCurves, DetPoint
from kws.detection.evaluate import evaluate_streams
from kws.detection.operating_point import choose_operating_point
from kws.detection.params import DetectorParams, MatchParams, OperatingPointParams
from kws.detection.posteriors import StreamPosteriors
from kws.detection.sensitivities import Sensitivities, choose_sensitivities
from kws.detection.threshold import Tail
from kws.splits import EVAL, TEST
from tests.kws.detection.drawing import LABELS, row, said, truth

DETECTOR = DetectorParams(
    rule="sliding_mean", average_window_ms=200, clip_stride_ms=100, suppression_ms=1000
)
MATCH = MatchParams()
ASKED = OperatingPointParams(default_sensitivity="medium")
HOURS = 4


def heard(seed: int) -> list[StreamPosteriors]:
    """An hour with 100 words, each as sure as it is, and three of noise, at times loud."""
    rng = np.random.default_rng(seed)
    streams = []
    for number in range(HOURS):
        words = [said("yes", 36_000 * i, 36_000 * i + 500) for i in range(1, 100)]
        rows = np.stack([row()] * 36_000)
        # Peaks of noise, some 600 an hour, with an exponential tail in log-odds.
        for at in rng.choice(1_800, 600, replace=False) * 20:
            rows[at : at + 2] = row(yes=1 / (1 + np.exp(5 - rng.exponential(0.6))))
        if number == 0:
            for word in words:
                at = word.end_ms // 100
                rows[at : at + 3] = row(yes=1 / (1 + np.exp(-rng.normal(3, 2))))
        about = truth(
            *(words if number == 0 else []),
            kind="negatives" if number else "words",
            stream_id=str(number),
        )
        times = 100 * np.arange(len(rows))
        streams.append(StreamPosteriors(truth=about, times_ms=times, posteriors=rows))
    return streams


@pytest.fixture(scope="module")
def point():
    return choose_operating_point(heard(1), LABELS, DETECTOR, MATCH, ASKED)


def test_each_is_chosen_by_counting_where_there_is_enough_to_count_else_by_the_tail(point):
    named = point.sensitivities
    assert [one.name for one in named.points] == ["low", "medium", "high"]
    thresholds = [one.detection_threshold for one in named.points]
    assert thresholds == sorted(thresholds, reverse=True) and len(set(thresholds)) == 3
    low, medium, high = named.points
    # 0.5 /h are two in four hours, 0.1 /h and 0.05 /h less than one.
    assert "target 0.5 /h reached" in high.grounds
    assert high.measured[EVAL].false_accepts_per_hour.count <= 2
    for one in (low, medium):
        assert one.measured[EVAL].false_accepts_per_hour.count == 0 and one.reached
        assert "are less than one false accept in the 4.00 h" in one.grounds
        assert "an exponential tail of the 30 highest peaks" in one.grounds
    assert "log-odds above the lowest threshold without a false accept" in low.grounds
    assert point.detector.detection_threshold == medium.detection_threshold
    assert point.reason.endswith(f"sensitivity medium: {medium.grounds}")


def test_versions_of_the_recordings_shape_the_tail_and_nothing_is_counted_in_them(point):
    loud = [one for one in heard(9) if one.truth.kind == "negatives"]
    for one in loud:
        # Log-odds are higher by one: their tail lies so much higher.
        odds = one.posteriors / (1 - one.posteriors) * np.e
        one.posteriors[:] = odds / (1 + odds)
    with_versions = choose_operating_point(heard(1), LABELS, DETECTOR, MATCH, ASKED, loud)
    before, after = point.sensitivities, with_versions.sensitivities
    for name in ("low", "medium"):
        assert after[name].detection_threshold > before[name].detection_threshold
    # As many as are counted need no tail.
    assert after["high"].detection_threshold == before["high"].detection_threshold
    hours = {one.measured[EVAL].false_accepts_per_hour.exposure for one in after.points}
    assert hours == {before["low"].measured[EVAL].false_accepts_per_hour.exposure}


def test_the_errors_on_test_are_those_of_a_report_at_each_threshold(point):
    streams = heard(7)
    named = point.sensitivities.measure(TEST, streams, LABELS, point.detector, MATCH)
    for one in named.points:
        at = point.detector.model_copy(update={"detection_threshold": one.detection_threshold})
        total = evaluate_streams(streams, LABELS, at, MATCH).total
        assert one.measured[TEST].false_accepts_per_hour == total.false_accepts_per_hour
        assert one.measured[TEST].miss_rate == total.miss_rate
        assert one.measured[EVAL] == point.sensitivities[one.name].measured[EVAL]
    stored = json.loads(json.dumps(named.to_dict(), allow_nan=False))
    assert Sensitivities.from_dict(stored) == named


def curves_of(accepted: list[int], missed: list[int], hours: float) -> DetCurves:
    """One keyword, said 50 times; as many thresholds as counts."""
    points = [
        DetPoint(
            threshold=(i + 1) / (len(accepted) + 1),
            false_accepts=accepts,
            false_accepts_per_hour=accepts / hours,
            misses=misses,
            miss_rate=misses / 50,
        )
        for i, (accepts, misses) in enumerate(zip(accepted, missed, strict=True))
    ]
    total = DetCurve(hours=hours, words=50, points=points)
    return DetCurves(total=total, per_keyword={"yes": total})


@settings(max_examples=80, deadline=None)
@given(
    counts=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50)), min_size=2, max_size=12),
    hours=st.floats(0.2, 40),
    targets=st.lists(st.floats(0.01, 3), min_size=3, max_size=3),
    tail=st.none()
    | st.builds(
        Tail,
        start=st.floats(-4, 3),
        scale=st.floats(0.05, 2),
        peaks=st.just(30),
        hours=st.floats(0.2, 40),
    ),
)
def test_a_lower_target_is_never_more_sensitive_whatever_was_counted(counts, hours, targets, tail):
    accepted = sorted((accepts for accepts, _ in counts), reverse=True)
    curves = curves_of(accepted, [misses for _, misses in counts], hours)
    named = choose_sensitivities(
        dict(zip(["a", "b", "c"], targets, strict=True)), "a", curves, tail, EVAL
    )
    wanted = [one.target_false_accepts_per_hour for one in named.points]
    thresholds = [one.detection_threshold for one in named.points]
    assert wanted == sorted(wanted) and thresholds == sorted(thresholds, reverse=True)


def test_too_few_peaks_give_the_middle_of_the_quiet_thresholds_and_a_plain_sentence():
    curves = curves_of([3, 0, 0, 0, 0], [1, 2, 2, 2, 9], hours=2)
    low = choose_sensitivities({"low": 0.1}, "low", curves, None, EVAL)["low"]
    assert low.detection_threshold == curves.total.points[2].threshold
    assert "fewer than 10 peaks of different height outside keywords say nothing" in low.grounds


def test_a_tail_beyond_the_highest_level_is_not_reached_and_says_which_it_would_need():
    curves = curves_of([3, 0, 0, 0], [1, 2, 2, 9], hours=2)
    tail = Tail(start=1.0, scale=1.0, peaks=30, hours=2)
    low = choose_sensitivities({"low": 0.01}, "low", curves, tail, EVAL)["low"]
    assert low.detection_threshold == 0.8 and not low.reached
    assert "the target would need 0.9998, and the outputs have no such level" in low.grounds


def test_a_default_alone_asks_for_the_three_and_sets_the_target():
    assert ASKED.sensitivities == {"low": 0.05, "medium": 0.1, "high": 0.5}
    assert ASKED.target_false_accepts_per_hour == 0.1
    assert OperatingPointParams.from_json(ASKED.to_json()) == ASKED
    own = OperatingPointParams(sensitivities={"medium": 0.2, "night": 0.02})
    assert (own.default_sensitivity, own.target_false_accepts_per_hour) == ("medium", 0.2)
    assert OperatingPointParams().sensitivities == {}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sensitivities": {"low": 0.1}}, "default_sensitivity='medium' is not among .* low"),
        (
            {"default_sensitivity": "high", "target_false_accepts_per_hour": 2},
            r"target_false_accepts_per_hour=2.0 is not the target of sensitivity high, 0.5",
        ),
        (
            {"sensitivities": {"medium": 0.1, "Very low": 0.01}},
            "'Very low' must be lower-case letters, digits and _",
        ),
        ({"sensitivities": {"medium": 0}}, "greater than 0"),
    ],
)
def test_sensitivities_that_do_not_fit_each_other_are_refused(values, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        OperatingPointParams(**values)
