"""Hard negatives of hand-made streams: one window a false accept, with the label that is right."""

import random

import numpy as np

from kws.detection.params import DetectorParams, MatchParams
from kws.features.params import FeatureParams
from kws.labels import SILENCE, UNKNOWN, label_list
from kws.scenes.ground_truth import GroundTruth, Span, Word
from kws.training.mining import hardest, mine_stream, summary

# Windows of 11 frames, 230 ms; a row of posteriors every 40 ms, the first at 230 ms.
PARAMS = FeatureParams(clip_duration_ms=230, feature_bin_count=4)
DETECTOR = DetectorParams(
    average_window_ms=80, minimum_count=1, suppression_ms=200, detection_threshold=0.4
)
MATCH = MatchParams(before_ms=0, after_ms=150)
LABELS = label_list(["yes", "no"])
ROWS = 100
TIMES_MS = 230 + 40 * np.arange(ROWS)
FEATURES = np.repeat(np.arange(2 * ROWS + 11, dtype=np.uint16)[:, None], 4, axis=1)
"""Every frame holds its number."""


def word(label, start_ms, end_ms, said=None):
    return Word(
        label=label, word=said or label, start_ms=start_ms, end_ms=end_ms, speaker="s", source="t",
        clip_id="c", snr_db=12.0,
    )  # fmt: skip


def mined(heard, *words, kind="words", negatives=()):
    """What comes of a stream in which the model hears {row: (keyword, posterior)}."""
    posteriors = np.zeros((ROWS, len(LABELS)), np.float32)
    for row, (label, posterior) in heard.items():
        posteriors[row, LABELS.index(label)] = posterior
    truth = GroundTruth(
        stream_id="words-train-00", kind=kind, duration_ms=4200, sample_rate=16000, words=words,
        negatives=negatives,
    )  # fmt: skip
    return mine_stream(FEATURES, TIMES_MS, posteriors, truth, LABELS, PARAMS, DETECTOR, MATCH)


def test_a_false_accept_gives_the_window_that_said_it_loudest():
    (hard,) = mined({20: ("yes", 0.6), 21: ("yes", 0.9)})
    # Row 21 begins 21 strides of two frames into the stream.
    np.testing.assert_array_equal(hard.example.features[:, 0], np.arange(42, 53))
    assert hard.detected == "yes" and hard.example.features.dtype == np.uint16
    assert hard.example.source == hard.example.augmentation == "mined"


def test_background_is_silence_and_all_that_sounds_is_unknown():
    def label(*words, **truth):
        (hard,) = mined({20: ("yes", 0.9)}, *words, **truth)
        assert hard.example.label_index == LABELS.index(hard.example.label)
        return hard.example.label, hard.example.word

    assert label() == (SILENCE, "")
    assert label(word(UNKNOWN, 900, 1000, "yesterday")) == (UNKNOWN, "yesterday")
    assert label(kind="negatives") == (UNKNOWN, "")
    assert label(negatives=(Span(start_ms=1000, end_ms=3000),)) == (UNKNOWN, "")
    assert label(negatives=(Span(start_ms=1100, end_ms=3000),)) == (SILENCE, "")


def test_a_keyword_taken_for_another_gives_its_own_label_if_the_window_holds_all_of_it():
    (hard,) = mined({20: ("yes", 0.9)}, word("no", 820, 1020))
    assert (hard.example.label, hard.example.novelty, hard.detected) == ("no", "keyword", "yes")
    assert hard.example.snr_bucket == "10_to_20"
    assert not mined({20: ("yes", 0.9)}, word("no", 780, 1020))


def test_what_is_right_or_said_twice_or_touches_a_keyword_is_left_out():
    yes = word("yes", 850, 1000)
    assert not mined({20: ("yes", 0.9)}, yes)
    assert not mined({19: ("yes", 0.9), 24: ("yes", 0.9)}, word("yes", 800, 1100))
    # In no word's window, but the softly spoken end of a keyword may be in it.
    assert not mined({28: ("no", 0.9)}, yes)
    assert mined({34: ("no", 0.9)}, yes)


def test_the_hardest_are_the_same_in_whatever_order_they_come():
    heard = {row: ("yes", posterior) for row, posterior in ((10, 0.85), (30, 0.95), (50, 0.9))}
    found = mined(heard, word(UNKNOWN, 1300, 1400, "yet"))
    assert len(found) == 3 and len({hard.example.clip_id for hard in found}) == 3
    shuffled = found[:]
    random.Random(0).shuffle(shuffled)
    kept = hardest(found, 2)
    assert [hard.score for hard in kept] == sorted((h.score for h in found), reverse=True)[:2]
    assert hardest(shuffled, 2) == kept
    assert summary(kept)["taken_for"][0]["detected"] == "yes"
    assert {row["said"] for row in summary(found)["taken_for"]} == {SILENCE, "yet"}
