"""The tail of peaks, held against counting on far more hours than it was fitted to."""

import numpy as np
import pytest

from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.detection.threshold import FEWEST_PEAKS, fit_tail, tail_of
from tests.kws.detection.drawing import LABELS, row, said, truth

DETECTOR = DetectorParams(
    rule="consecutive", minimum_count=1, clip_stride_ms=100, suppression_ms=1000
)
MATCH = MatchParams(before_ms=100, after_ms=700)
HOURS, PER_HOUR = 8, 40


def drawn(rng: np.random.Generator, hours: int) -> np.ndarray:
    """Peaks of so many hours, with log-odds from -5 that fall off with a scale of 0.9, as int8."""
    log_odds = -5 + rng.exponential(0.9, rng.poisson(PER_HOUR * hours))
    return np.clip(np.rint(256 / (1 + np.exp(-log_odds))), 0, 255) / 256


def test_a_rate_that_hours_are_too_few_for_is_met_in_a_thousand_times_as_many():
    rng = np.random.default_rng(3)
    long = np.sort(drawn(rng, 8000))
    target = 0.05
    real = []
    for _ in range(60):
        tail = tail_of(drawn(rng, HOURS), HOURS)
        threshold = tail.threshold(target)
        real.append((len(long) - np.searchsorted(long, threshold)) / 8000)
    # 30 peaks know the scale to a fifth of itself: single rates are off by a factor of some 3.
    assert 0.5 * target < np.median(real) < 2 * target
    assert np.mean([target / 6 < rate < target * 6 for rate in real]) > 0.9
    assert tail.threshold(0.01) > tail.threshold(0.05) > tail.threshold(0.5)


def test_few_peaks_or_peaks_of_one_height_have_no_tail():
    peaks = np.linspace(0.1, 0.4, FEWEST_PEAKS + 1)
    assert tail_of(peaks, 1.0).peaks == FEWEST_PEAKS
    assert tail_of(peaks[1:], 1.0) is None
    assert tail_of(np.append(peaks[1:], np.zeros(50)), 1.0) is None  # silence has no peaks
    assert tail_of(np.full(50, 255 / 256), 1.0) is None


def _stream(scores: dict[int, float], *words) -> StreamPosteriors:
    times = np.arange(0, 100_000, 100)
    rows = np.stack([row()] * len(times))
    for at_ms, score in scores.items():
        rows[at_ms // 100] = row(yes=score)
    about = truth(*words, duration_ms=100_000)
    return StreamPosteriors(truth=about, times_ms=times, posteriors=rows)


def test_peaks_are_of_what_is_not_a_keyword_one_for_each_detection_that_could_be():
    noise = {5_000 + 2_000 * i: 0.05 + 0.01 * i for i in range(FEWEST_PEAKS + 1)}
    alone = fit_tail([_stream(noise)], LABELS, DETECTOR, MATCH)
    assert alone.peaks == FEWEST_PEAKS and alone.hours == 100 / 3600
    # A second, lower peak within the suppression is the same event; in an unknown word one counts.
    bed = said("_unknown_", 24_900, 25_400, word="bed")
    double = fit_tail([_stream({**noise, 25_500: 0.08}, bed)], LABELS, DETECTOR, MATCH)
    assert double == alone
    # What a keyword gives does not count, up to where its detection keeps the detector quiet.
    yes = said("yes", 60_000, 60_500)
    heard = {60_000: 0.9, 60_600: 0.95, 62_100: 0.6}
    spoken = fit_tail([_stream({**noise, **heard}, yes)], LABELS, DETECTOR, MATCH)
    assert (spoken.start, spoken.scale) == (alone.start, alone.scale)
    assert spoken.hours == pytest.approx((100 - 2.3) / 3600)
    later = fit_tail([_stream({**noise, 62_300: 0.6}, yes)], LABELS, DETECTOR, MATCH)
    assert later.scale > alone.scale
