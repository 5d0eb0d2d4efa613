"""Counts of steps against numbers worked out by hand."""

import math

import numpy as np
import pytest

from kws.scenes.scoring import StepCounts, count_steps


def test_precision_recall_f1_and_cross_entropy_are_those_of_the_steps():
    labels = np.array([[0, 1, 1, 1], [0, 0, 0, 1]])
    scores = np.array([[0.1, 0.5, 0.9, 0.4], [0.2, 0.8, 0.6, 0.9]])
    counts = count_steps(labels, scores)
    assert counts.confusion == ((2, 2), (1, 3))
    assert counts.precision == 3 / 5
    assert counts.recall == 3 / 4
    assert counts.f1 == pytest.approx(2 * (3 / 5) * (3 / 4) / (3 / 5 + 3 / 4))
    assert counts.accuracy == 5 / 8
    right = [0.9, 0.5, 0.9, 0.4, 0.8, 0.2, 0.4, 0.9]
    assert counts.cross_entropy == pytest.approx(-sum(map(math.log, right)) / 8)


def test_counts_of_scenes_add_up():
    labels = np.array([[0, 1, 1], [1, 0, 0]])
    scores = np.array([[0.7, 0.7, 0.2], [0.9, 0.1, 0.3]])
    parts = sum((count_steps(labels[i], scores[i]) for i in range(2)), StepCounts())
    whole = count_steps(labels, scores)
    assert parts.confusion == whole.confusion
    assert parts.cross_entropy == pytest.approx(whole.cross_entropy)


def test_figures_of_nothing_are_no_numbers():
    silent = count_steps(np.zeros(4), np.zeros(4))
    assert math.isnan(silent.precision) and math.isnan(silent.recall) and math.isnan(silent.f1)
    assert silent.to_dict()["f1"] is None
    assert count_steps(np.ones(2), np.zeros(2)).f1 == 0


def test_labels_and_scores_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"labels are \[3\], scores \[3, 1\]"):
        count_steps(np.zeros(3), np.zeros((3, 1)))
