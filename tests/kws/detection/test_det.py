"""DET curves against reports at each threshold, in total and by keyword."""

import json

import numpy as np
import pytest

from kws.detection.det import DetCurves, candidate_thresholds, det_curves
from kws.detection.evaluate import evaluate_streams
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from tests.kws.detection.drawing import LABELS, said, truth

DETECTOR = DetectorParams(average_window_ms=200, clip_stride_ms=100, minimum_count=2)
MATCH = MatchParams()


def _streams() -> list[StreamPosteriors]:
    """Ten minutes of words and five of none; the model says anything, for half a second each."""
    rng = np.random.default_rng(0)
    words = [said(("yes", "no")[i % 2], 8_000 * i, 8_000 * i + 500) for i in range(1, 70)]
    made = []
    for about in (
        truth(*words, stream_id="w", duration_ms=600_000),
        truth(stream_id="n", kind="negatives", duration_ms=300_000),
    ):
        rows = about.duration_ms // 100
        said_most = rng.dirichlet(np.full(len(LABELS), 0.3), rows // 5 + 1).repeat(5, axis=0)
        times = 100 * np.arange(rows)
        made.append(StreamPosteriors(truth=about, times_ms=times, posteriors=said_most[:rows]))
    return made


@pytest.mark.parametrize("rule", ["average", "sliding_mean", "consecutive", "steps"])
def test_every_point_counts_what_a_report_at_its_threshold_counts(rule):
    streams = _streams()
    detector = DETECTOR.model_copy(update={"rule": rule})
    thresholds = [0.3, 0.6, 0.9]
    curves = det_curves(streams, LABELS, detector, MATCH, thresholds)
    assert set(curves.per_keyword) == {"yes", "no", "tree"}
    for i, threshold in enumerate(thresholds):
        at = detector.model_copy(update={"detection_threshold": threshold})
        report = evaluate_streams(streams, LABELS, at, MATCH)
        for figures, curve in [
            (report.total, curves.total),
            *((report.per_keyword[label], curves.per_keyword[label]) for label in LABELS[2:]),
        ]:
            point = curve.points[i]
            assert (point.misses, point.false_accepts) == (figures.misses, figures.false_accepts)
            assert curve.misses(point) == figures.miss_rate
            assert curve.false_accepts(point) == figures.false_accepts_per_hour
    assert curves.total.points[0].false_accepts > curves.total.points[-1].false_accepts > 0


def test_a_report_stores_its_curves_and_they_can_be_read_again():
    report = evaluate_streams(_streams(), LABELS, DETECTOR, MATCH)
    stored = json.loads(json.dumps(report.to_dict(), allow_nan=False))["det"]
    again = DetCurves.from_dict(stored)
    assert again.total == report.det.total
    # "tree" was never said: its miss rates are NaN, which equal nothing.
    assert again.to_dict() == report.det.to_dict()
    assert stored["thresholds"] == candidate_thresholds(DETECTOR)
    assert stored["per_keyword"]["tree"]["words"] == 0
