"""Two models on the same streams: who made which error alone, and when that shows one is worse."""

import math

import numpy as np
import pytest

from kws.detection.compare import LEVEL, SAME_MS, Judged, Odd, compare
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from tests.kws.detection.drawing import LABELS, row, said, truth

DETECTOR = DetectorParams(
    average_window_ms=100, clip_stride_ms=100, minimum_count=1, suppression_ms=500
)
MATCH = MatchParams(before_ms=100, after_ms=750)
WORDS = [said("yes" if i % 2 else "no", 5000 * i, 5000 * i + 500) for i in range(1, 9)]


def judged(heard: dict[int, str], words=WORDS, labels=LABELS, detector=DETECTOR) -> Judged:
    """A model that says a keyword at each of some moments, in an hour."""
    times = np.arange(0, 60_000, 100)
    posteriors = np.stack([row()] * len(times))
    for at_ms, label in heard.items():
        posteriors[at_ms // 100] = row(**{label: 0.9})
    if list(labels) != LABELS:
        posteriors = posteriors[:, [LABELS.index(label) for label in labels]]
    stream = StreamPosteriors(truth=truth(*words), times_ms=times, posteriors=posteriors)
    return Judged(streams=[stream], labels=labels, detector=detector)


def hits(*numbers: int) -> dict[int, str]:
    return {WORDS[i].end_ms: WORDS[i].label for i in numbers}


def test_words_are_counted_by_which_of_the_two_missed_them() -> None:
    found = compare(judged(hits(0, 1, 2)), judged(hits(1, 2, 3, 4)), MATCH)
    assert (found.words, found.hours, found.keywords) == (8, 1.0, ("yes", "no", "tree"))
    assert found.misses == Odd(candidate=2, last=1, both=3)


def test_false_accepts_of_the_same_moment_are_one_event_that_fooled_both() -> None:
    candidate = {1000: "yes", 2500: "yes", 58_000: "no"}
    last = {1000 + SAME_MS: "tree", 50_000: "yes"}
    found = compare(judged(candidate), judged(last), MATCH)
    assert found.false_accepts == Odd(candidate=2, last=1, both=1)
    other_way = compare(judged(last), judged(candidate), MATCH)
    assert other_way.false_accepts == Odd(candidate=1, last=2, both=1)


@pytest.mark.parametrize(("candidate", "last"), [(0, 0), (1, 0), (5, 0), (6, 0), (9, 2), (10, 2)])
def test_the_chance_is_that_of_so_many_heads_or_more_among_fair_coins(
    candidate: int, last: int
) -> None:
    coins = candidate + last
    heads = sum(math.comb(coins, k) for k in range(candidate, coins + 1)) / 2**coins
    odd = Odd(candidate=candidate, last=last, both=7)
    assert odd.chance == pytest.approx(heads)


def test_a_candidate_is_refused_only_beyond_the_bounds() -> None:
    # Five odd misses to none are a chance of 1 in 32, six of 1 in 64: under 2.5 %.
    worse = compare(judged({}), judged(hits(0, 1, 2, 3, 4, 5)), MATCH)
    misses, accepts = worse.gates()
    assert misses.name == "streaming.misses_against_last" and misses.limit == LEVEL
    assert misses.value == 1 / 64 and not misses.passed
    assert accepts.value == 1 and accepts.passed
    assert "of 8 words" in misses.detail and "6 that the last one did not make" in misses.detail
    perhaps = compare(judged({}), judged(hits(0, 1, 2, 3, 4)), MATCH)
    assert [gate.passed for gate in perhaps.gates()] == [True, True]
    better = compare(judged(hits(0, 1, 2, 3, 4, 5)), judged({}), MATCH)
    assert all(gate.passed for gate in better.gates())


def test_a_model_is_never_worse_than_itself() -> None:
    one = judged({**hits(0, 3), 57_000: "yes"})
    found = compare(one, one, MATCH)
    assert found.misses == Odd(candidate=0, last=0, both=6)
    assert found.false_accepts == Odd(candidate=0, last=0, both=1)
    assert all(gate.passed for gate in found.gates())


def test_only_the_keywords_of_both_are_compared() -> None:
    # The last model knows no "no": its words are no misses, and "tree" is none of the candidate's.
    last = judged({57_000: "tree"}, labels=["_silence_", "_unknown_", "yes", "tree"])
    candidate = judged(
        {**hits(0, 1, 2, 3), 55_000: "no"}, labels=["_silence_", "_unknown_", "yes", "no"]
    )
    found = compare(candidate, last, MATCH)
    assert found.keywords == ("yes",) and found.words == 4
    assert found.misses == Odd(candidate=0, last=2, both=2)
    assert found.false_accepts == Odd(candidate=0, last=0, both=0)


def test_each_model_is_heard_at_its_own_operating_point() -> None:
    deaf = DETECTOR.model_copy(update={"detection_threshold": 0.95})
    found = compare(judged(hits(0, 1)), judged(hits(0, 1), detector=deaf), MATCH)
    assert found.misses == Odd(candidate=0, last=2, both=6)


def test_other_streams_or_no_common_keyword_are_refused() -> None:
    with pytest.raises(ValueError, match="on the same streams"):
        compare(judged({}), judged({}, words=WORDS[:3]), MATCH)
    strangers = judged({}, labels=["_silence_", "_unknown_", "tree"])
    with pytest.raises(ValueError, match="without a keyword in common"):
        compare(judged({}, labels=["_silence_", "yes"]), strangers, MATCH)
