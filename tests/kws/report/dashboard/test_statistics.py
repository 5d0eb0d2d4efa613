"""What is read of TFDV's statistics is what the rows say, and what is drawn is what was read."""

import numpy as np
import pytest

from kws.report.dashboard import facets, statistics
from kws.report.dashboard.statistics import Numbers, Words
from tests.kws.report.dashboard.conftest import ROWS


def test_numbers_are_those_of_the_rows(content):
    column = statistics.features({"train": content})["level"]["train"]
    level = np.array(ROWS["level"])
    assert isinstance(column.values, Numbers) and (column.present, column.examples) == (4, 4)
    assert column.values.mean == pytest.approx(level.mean())
    assert column.values.std == pytest.approx(level.std())
    assert (column.values.minimum, column.values.maximum) == (-30, -10)
    assert column.values.median == np.median(level)
    assert sum(count for _, _, count in column.values.histogram) == pytest.approx(4)


def test_words_are_counted_and_the_most_frequent_comes_first(content):
    values = statistics.features({"train": content})["label"]["train"].values
    assert isinstance(values, Words)
    assert values.unique == 3 and next(iter(values.counts.items())) == ("yes", 2)


def test_a_part_of_the_clips_has_its_own_statistics(content):
    assert statistics.slices(content) == ["All Examples", "label_yes"]
    part = statistics.features({"train": content}, "label_yes")
    assert part["level"]["train"].values.mean == -25
    assert statistics.features({"train": content}, "label_of_nobody") == {}


def test_features_of_numbers_come_first(content):
    assert list(statistics.features({"train": content})) == ["level", "clip_id", "label"]


def test_each_feature_is_drawn_for_each_dataset_and_names_are_text(content):
    found = statistics.features({"train": content, "test": content})
    drawn = facets.section(found, ["train", "test"])
    assert "Density of level in train, test" in drawn
    assert drawn.count("train 50.0\N{NO-BREAK SPACE}%, test 50.0\N{NO-BREAK SPACE}%") == 1
    assert "&lt;b&gt;" in drawn and "<b>" not in drawn
    assert "Nearly every example has a value of its own." in drawn
