"""What the last model suddenly misses: the labels are wrong, or the world is another."""

import math

import pytest

from kws.detection.compare import compare, label_gate
from tests.kws.detection.test_compare import MATCH, WORDS, hits, judged

LIMIT = 0.2


@pytest.mark.parametrize(
    ("heard_by_last", "when_judged", "rise"),
    [(8, 0.0, 0.0), (7, 0.125, 0.0), (6, 0.125, 0.125), (4, 0.125, 0.375), (8, 0.5, -0.5)],
)
def test_the_last_model_s_misses_are_held_against_its_own_of_then(heard_by_last, when_judged, rise):
    last = judged(hits(*range(heard_by_last)))
    gate = label_gate(compare(judged({}), last, MATCH), when_judged, LIMIT)
    assert gate.value == pytest.approx(rise)
    assert gate.passed == (rise <= LIMIT)


def test_a_candidate_that_learned_the_wrong_labels_does_not_help_itself():
    swapped = {"yes": "no", "no": "yes"}
    last = judged({word.end_ms: swapped[word.label] for word in WORDS})
    comparison = compare(judged(hits(*range(8))), last, MATCH)
    assert all(gate.passed for gate in comparison.gates())  # it seems to be the better one
    gate = label_gate(comparison, when_judged=0.0, limit=LIMIT)
    assert not gate.passed and gate.value == 1.0
    assert "misses 100.0% of the 8 words" in gate.detail and "labels are wrong" in gate.detail


def test_without_words_nothing_was_checked():
    silent = judged({}, words=[])
    gate = label_gate(compare(silent, silent, MATCH), 0.1, LIMIT)
    assert math.isnan(gate.value) and not gate.passed
