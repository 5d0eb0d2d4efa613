"""False accepts by what was heard: every one counts once, and every source has its hours."""

import pytest

from kws.detection.evaluate import accepts_of_negatives, false_accepts_by_source, sounds_like
from kws.detection.match import match
from kws.detection.params import MatchParams
from kws.scenes.ground_truth import Span
from tests.kws.detection.drawing import heard, said, truth

HOUR_MS = 3_600_000
WORDS = truth(
    said("yes", 10_000, 10_500),
    said("_unknown_", 20_000, 20_500, word="guess"),
    said("_unknown_", 30_000, 30_500, word="happy"),
    stream_id="w",
)
NEGATIVES = truth(kind="negatives", stream_id="n", duration_ms=HOUR_MS).model_copy(
    update={
        "negatives": (
            Span(start_ms=0, end_ms=HOUR_MS // 2, source="speech"),
            Span(start_ms=HOUR_MS // 2, end_ms=3 * HOUR_MS // 4, source="sounds"),
        )
    }
)


def _judged(ground_truth, *detections):
    return ground_truth, match(detections, ground_truth, MatchParams())


def test_each_false_accept_has_the_source_that_was_heard_and_each_source_its_hours():
    found = false_accepts_by_source(
        [
            _judged(
                WORDS,
                heard("yes", 10_300),  # a hit
                heard("no", 10_600),  # keywords: a repeat
                heard("yes", 20_600),  # near_words
                heard("yes", 30_600),  # other_words
                heard("yes", 50_000),
                heard("no", 55_000),  # background
            ),
            _judged(
                NEGATIVES,
                heard("yes", 1_000),
                heard("no", HOUR_MS // 2),  # just still in the speech
                heard("no", HOUR_MS // 2 + 1),
                heard("no", HOUR_MS - 5),  # in the quarter whose collection is not known
            ),
        ]
    )
    assert {name: (rate.count, rate.exposure) for name, rate in found.items()} == {
        "keywords": (1, 1.0),
        "near_words": (1, 1.0),
        "other_words": (1, 1.0),
        "background": (2, 1.0),
        "negatives": (1, 0.25),
        "negatives/sounds": (1, 0.25),
        "negatives/speech": (2, 0.5),
    }


def test_recorded_and_synthesized_negatives_have_their_own_hours_and_false_accepts():
    voices = Span(start_ms=0, end_ms=HOUR_MS // 4, source="sentences", synthesized=True)
    mixed = truth(kind="negatives", stream_id="m").model_copy(update={"negatives": (voices,)})
    inserted = WORDS.model_copy(
        update={"negatives": (Span(start_ms=100_000, end_ms=100_000 + HOUR_MS // 10),)}
    )
    found = accepts_of_negatives(
        [
            _judged(mixed, heard("yes", 1_000), heard("yes", HOUR_MS // 2), heard("no", HOUR_MS)),
            _judged(inserted, heard("yes", 50_000), heard("yes", 150_000)),
        ]
    )
    assert {origin: (rate.count, rate.exposure) for origin, rate in found.items()} == {
        "recorded": (3, pytest.approx(0.85)),
        "synthesized": (1, 0.25),
    }


@pytest.mark.parametrize(
    ("word", "keyword", "near"),
    [
        ("guess", "yes", True),
        ("commuter", "computer", True),
        ("cup", "up", True),
        ("happy", "yes", False),
        ("cat", "computer", False),
        ("", "yes", False),
        ("今日", "yes", False),
    ],
)
def test_a_near_word_sounds_like_the_keyword_that_was_detected(word, keyword, near):
    assert sounds_like(word, keyword) is near


def test_without_streams_there_are_no_sources():
    assert false_accepts_by_source([]) == {}
