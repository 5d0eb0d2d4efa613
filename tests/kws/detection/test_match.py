"""Every case that the drawing in `match` shows, and those at its edges."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from kws.detection.detector import Detection
from kws.detection.match import MatchedStream, match
from kws.detection.params import MatchParams
from tests.kws.detection.drawing import heard, said, truth

PARAMS = MatchParams(before_ms=100, after_ms=750)
YES = said("yes", 10_000, 10_600)  # Its window is 9,900 to 11,350.
BED = said("_unknown_", 20_000, 20_500, word="bed")


def _match(*detections: Detection, words=(YES, BED)) -> MatchedStream:
    return match(detections, truth(*words), PARAMS)


def _kinds(matched: MatchedStream) -> list[str]:
    return [outcome.kind for outcome in matched.outcomes]


def _causes(matched: MatchedStream) -> list[str]:
    return [accept.cause for accept in matched.false_accepts]


def test_a_detection_in_the_window_is_a_hit_with_its_latency_from_the_words_end() -> None:
    for at_ms, latency_ms in ((9_900, -700), (10_500, -100), (11_000, 400), (11_350, 750)):
        matched = _match(heard("yes", at_ms))
        assert _kinds(matched) == ["hit"] and _causes(matched) == []
        assert matched.outcomes[0].latency_ms == latency_ms


def test_a_detection_just_outside_the_window_is_a_miss_and_a_false_accept() -> None:
    for at_ms in (9_899, 11_351):
        matched = _match(heard("yes", at_ms))
        assert _kinds(matched) == ["miss"] and _causes(matched) == ["background"]
        assert matched.outcomes[0].latency_ms is None


def test_another_keyword_is_a_wrong_word_a_miss_and_a_false_accept() -> None:
    matched = _match(heard("no", 10_800))
    assert _kinds(matched) == ["wrong_word"] and _causes(matched) == ["wrong_word"]
    assert matched.outcomes[0].detection.label == "no"
    assert matched.false_accepts[0].word is YES


def test_a_second_detection_of_a_word_is_a_false_accept() -> None:
    for second in ("yes", "no"):
        matched = _match(heard("yes", 10_300), heard(second, 11_300))
        assert _kinds(matched) == ["hit"] and _causes(matched) == ["repeat"]
        assert matched.outcomes[0].detection.end_ms == 10_300


def test_a_wrong_word_first_does_not_take_the_hit_that_follows() -> None:
    matched = _match(heard("no", 10_300), heard("yes", 11_300))
    assert _kinds(matched) == ["hit"] and _causes(matched) == ["repeat"]


def test_an_unknown_word_is_never_hit_nor_missed_and_a_detection_in_it_is_told_apart() -> None:
    matched = _match(heard("yes", 20_400), heard("yes", 30_000))
    assert _kinds(matched) == ["miss"]
    assert _causes(matched) == ["unknown_word", "background"]
    assert matched.false_accepts[0].word is BED


def test_no_detection_is_a_miss_and_negatives_have_no_outcomes() -> None:
    assert _kinds(_match()) == ["miss"]
    matched = match([heard("yes", 5_000)], truth(kind="negatives"), PARAMS)
    assert matched.outcomes == [] and _causes(matched) == ["background"]


def test_two_words_close_together_get_one_detection_each() -> None:
    again = said("yes", 10_900, 11_400)  # From 10,800 on, both windows are open.
    matched = _match(heard("yes", 11_000), heard("yes", 12_000), words=(YES, again))
    assert [outcome.detection.end_ms for outcome in matched.outcomes] == [11_000, 12_000]
    assert _kinds(_match(heard("yes", 11_000), words=(YES, again))) == ["hit", "miss"]


def test_where_windows_overlap_a_word_keeps_its_own_detection() -> None:
    no = said("no", 10_900, 11_400)
    matched = _match(heard("yes", 11_000), heard("no", 11_200), words=(YES, no))
    assert _kinds(matched) == ["hit", "hit"] and _causes(matched) == []


def test_a_wrong_word_in_two_windows_belongs_to_the_later_word() -> None:
    no = said("no", 10_900, 11_400)
    matched = _match(heard("tree", 11_000), words=(YES, no))
    assert _kinds(matched) == ["miss", "wrong_word"]


def test_the_order_in_which_detections_are_given_does_not_matter() -> None:
    detections = [heard("yes", 10_300), heard("no", 10_800), heard("yes", 20_100)]
    results = [_match(*order) for order in itertools.permutations(detections)]
    assert all(result == results[0] for result in results)


def _most_hits(detections: list[Detection], words: list) -> int:
    """The size of a maximum matching, by trying everything."""
    if not words:
        return 0
    word, rest = words[0], words[1:]
    best = _most_hits(detections, rest)
    for i, detection in enumerate(detections):
        inside = word.start_ms - 100 <= detection.end_ms <= word.end_ms + 750
        if inside and detection.label == word.label:
            best = max(best, 1 + _most_hits(detections[:i] + detections[i + 1 :], rest))
    return best


@settings(max_examples=150, deadline=None)
@given(
    words=st.lists(
        st.tuples(
            st.sampled_from(["yes", "no", "_unknown_"]),
            st.integers(0, 6).map(lambda n: 500 * n),
            st.sampled_from([200, 900]),
        ),
        max_size=5,
    ),
    detections=st.lists(
        st.tuples(st.sampled_from(["yes", "no"]), st.integers(0, 20).map(lambda n: 250 * n)),
        max_size=5,
    ),
)
def test_no_assignment_finds_more_hits_and_every_detection_is_counted_once(
    words: list[tuple[str, int, int]], detections: list[tuple[str, int]]
) -> None:
    said_words = [said(label, start, start + length) for label, start, length in words]
    detected = [heard(label, at) for label, at in detections]
    matched = _match(*detected, words=said_words)
    keywords = [word for word in said_words if word.label != "_unknown_"]
    kinds = _kinds(matched)
    assert len(kinds) == len(keywords)
    assert kinds.count("hit") == _most_hits(detected, keywords)
    assert kinds.count("hit") + len(matched.false_accepts) == len(detected)
    assert kinds.count("wrong_word") == _causes(matched).count("wrong_word")
