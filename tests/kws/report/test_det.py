"""The picture of DET and ROC: what it draws, and that it can draw what is missing."""

import io

import numpy as np
import pytest
from PIL import Image

from kws.detection.det import DetCurve, DetPoint
from kws.detection.evaluate import evaluate_streams
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.detection.rates import hourly_rate, share
from kws.detection.sensitivities import MeasuredErrors, Sensitivities, Sensitivity
from kws.report.det import frontier, picture
from kws.splits import TEST
from tests.kws.detection.drawing import LABELS, row, said, truth


def _point(threshold: float, false_accepts: int, misses: int) -> DetPoint:
    return DetPoint(
        threshold=threshold,
        false_accepts=false_accepts,
        false_accepts_per_hour=false_accepts / 2,
        misses=misses,
        miss_rate=misses / 10,
    )


def test_a_curve_keeps_the_points_that_no_other_beats():
    worse = [_point(0.2, 9, 4), _point(0.3, 7, 2), _point(0.7, 3, 5)]
    best = [_point(0.9, 0, 8), _point(0.8, 3, 3), _point(0.5, 5, 2)]
    assert frontier(DetCurve(hours=2.0, words=10, points=[*worse, *best])) == best


def _report(*streams: StreamPosteriors, labels=LABELS):
    return evaluate_streams(streams, labels, DetectorParams(clip_stride_ms=100), MatchParams())


def _stream(kind: str, labels=LABELS) -> StreamPosteriors:
    times = 100 * np.arange(600)
    posteriors = np.stack([row()] * 600)
    for i, score in enumerate(np.linspace(0.3, 0.95, 5)):
        posteriors[100 * i + 10 : 100 * i + 20] = row(yes=score)
        posteriors[100 * i + 50 : 100 * i + 60] = row(no=score / 2)
    words = [said("yes", 10_000 * i + 1_000, 10_000 * i + 1_800) for i in range(5)]
    return StreamPosteriors(
        truth=truth(*(words if kind == "words" else []), kind=kind, stream_id=kind),
        times_ms=times,
        posteriors=posteriors[:, [LABELS.index(label) for label in labels]],
    )


@pytest.mark.parametrize(
    "kinds", [("words", "negatives"), ("words",), ("negatives",), ()], ids="-".join
)
def test_a_picture_is_drawn_whatever_was_heard(kinds):
    png = picture(_report(*(_stream(kind) for kind in kinds)), "Test streams")
    drawn = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert drawn.shape == (624, 1320, 3)
    reddish = (drawn[..., 0] > 150) & (drawn[..., 1] < 80)
    assert reddish.any() == ("words" in kinds)  # the operating point needs words and hours


def test_the_other_sensitivities_are_marked_on_both_curves():
    report = _report(_stream("words"), _stream("negatives"))
    rate, missed = hourly_rate(1, 2.0), share(1, 2)
    at = MeasuredErrors(false_accepts_per_hour=rate, miss_rate=missed)
    points = tuple(
        Sensitivity(
            name=name,
            target_false_accepts_per_hour=0.1,
            detection_threshold=0.5,
            reached=True,
            grounds="drawn",
            measured={TEST: at},
        )
        for name in ("low", "medium")
    )

    def reddish(default: str) -> np.ndarray:
        named = Sensitivities(default=default, points=points[: 1 + (default == "medium")])
        png = picture(report, "Test streams", named)
        drawn = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
        return (drawn[..., 0] > 150) & (drawn[..., 1] < 80)

    plain = picture(report, "Test streams")
    before = np.asarray(Image.open(io.BytesIO(plain)).convert("RGB")).astype(int)
    bare = (before[..., 0] > 150) & (before[..., 1] < 80)
    marked = reddish("other")  # low is not the default: it has a diamond and its name
    more = marked & ~bare
    assert more[:, :660].sum() > 40 and more[:, 660:].sum() > 40
    assert reddish("medium").sum() != marked.sum()


def test_one_keyword_has_one_curve():
    labels = ["_silence_", "_unknown_", "yes"]
    assert picture(_report(_stream("words", labels), labels=labels), "One").startswith(b"\x89PNG")
