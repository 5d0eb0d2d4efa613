"""Figures of a small matrix computed by hand, and the tables that show them."""

import json
import math
import re

import pytest

from kws.detection.rates import hourly_rate, share
from kws.gates import Gate
from kws.report.confusion import ConfusionMatrix
from kws.report.tables import (
    conditions_table,
    confusion_table,
    gates_table,
    per_class_table,
    to_text,
)

LABELS = ["_silence_", "_unknown_", "yes", "no"]


@pytest.fixture
def matrix() -> ConfusionMatrix:
    """10 clips: 4 yes (3 right, 1 heard as no), 3 no (2 right), 3 unknown (1 heard as yes)."""
    truth = [2, 2, 2, 2, 3, 3, 3, 1, 1, 1]
    heard = [2, 2, 2, 3, 3, 3, 1, 1, 1, 2]
    return ConfusionMatrix.of(truth, heard, LABELS)


def test_a_matrix_comes_back_from_json(matrix: ConfusionMatrix) -> None:
    again = ConfusionMatrix.from_dict(json.loads(json.dumps(matrix.to_dict(), allow_nan=False)))
    assert again.labels == LABELS and (again.counts == matrix.counts).all()


def test_counts_have_the_truth_in_rows(matrix: ConfusionMatrix) -> None:
    assert matrix.counts.tolist() == [[0, 0, 0, 0], [0, 2, 1, 0], [0, 0, 3, 1], [0, 1, 0, 2]]


def test_class_figures_are_those_computed_by_hand(matrix: ConfusionMatrix) -> None:
    silence, unknown, yes, no = matrix.per_class()
    assert (yes.count, yes.predicted) == (4, 4)
    assert (yes.precision, yes.recall) == (3 / 4, 3 / 4)
    assert yes.false_positive_rate == 1 / 6  # 1 of the 6 clips that are not "yes"
    assert (no.precision, no.recall, no.false_positive_rate) == (2 / 3, 2 / 3, 1 / 7)
    assert (unknown.precision, unknown.recall, unknown.false_positive_rate) == (2 / 3, 2 / 3, 1 / 7)
    assert math.isnan(silence.precision) and math.isnan(silence.recall)
    assert silence.false_positive_rate == 0 and silence.to_dict()["recall"] is None


def test_accuracy_carries_its_bounds(matrix: ConfusionMatrix) -> None:
    accuracy = matrix.accuracy
    assert (accuracy.count, accuracy.exposure, accuracy.estimate) == (7, 10, 0.7)
    # Clopper-Pearson, 7 of 10, from the tables.
    assert (accuracy.low, accuracy.high) == pytest.approx((0.3475, 0.9333), abs=1e-4)


def test_each_condition_is_a_row_and_a_mixture_has_no_such_table() -> None:
    figures = {
        "words": 40,
        "misses": 10,
        "miss_rate": share(10, 40).to_dict(),
        "false_accepts": 3,
        "false_accepts_per_hour": hourly_rate(3, 0.25).to_dict(),
    }
    table = conditions_table({"per_condition": {"babble": figures}})
    assert table is not None
    (babble,) = [line for line in to_text(table).splitlines() if "babble" in line]
    # Clopper and Pearson, 10 of 40.
    assert re.search(r"40 .* 10 .* 25.0% \(12.7% to 41.2%\) .* 3 in 0.25 h", babble)
    assert max(len(line) for line in to_text(table, width=80).splitlines()) < 80
    assert "12.7% to 41.2%" in to_text(table, width=80)
    assert conditions_table({}) is None and conditions_table({"per_condition": {}}) is None


def test_tables_show_every_label_and_a_dash_for_what_was_not_measured(
    matrix: ConfusionMatrix,
) -> None:
    text = to_text(per_class_table(matrix))
    assert "accuracy 70.0% (95 %: 34.8% to 93.3%; 7 of 10)" in text
    assert "75.0%" in text and "16.67%" in text
    (silence,) = [line for line in text.splitlines() if "_silence_" in line]
    assert silence.count(" - ") == 2
    assert all(label in to_text(confusion_table(matrix)) for label in LABELS)


def test_the_gates_table_says_by_how_much_a_gate_failed() -> None:
    gate = Gate(
        name="streaming.miss_rate", value=0.3, limit=0.25, at_most=True, detail="3 of 10 words"
    )
    text = to_text(gates_table([gate]))
    assert "FAILED" in text and "-0.05" in text and "<= 0.25" in text and "3 of 10 words" in text
