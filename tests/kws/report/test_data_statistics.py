"""TFDV's statistics: figures of a corpus and of every feature, as computed from known rows."""

import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from kws.report.data_statistics import Figures, Numbers, Words, combined, features, read, slices
from kws.report.tables import corpus_tables, to_text
from tests.kws.report.conftest import ROWS


def statistics(**datasets: tuple[int, float]) -> bytes:
    """Datasets by name: number of clips of half a second, and their mean level."""
    made = statistics_pb2.DatasetFeatureStatisticsList()
    for name, (clips, level) in datasets.items():
        dataset = made.datasets.add(name=name.replace("whole", "All Examples"), num_examples=clips)
        for feature, mean in (("duration_ms", 500.0), ("rms_dbfs", level)):
            found = dataset.features.add()
            found.path.step.append(feature)
            found.num_stats.mean = mean
    return made.SerializeToString()


TRAIN = read(statistics(whole=(240, -20), label_yes=(180, -18), label__unknown_=(60, -26),
                        source_my_voice=(240, -20)))  # fmt: skip
TEST = read(statistics(whole=(60, -40), label_yes=(60, -40), source_my_voice=(60, -40)))


def test_a_slice_is_named_by_its_feature_and_its_value():
    assert set(TRAIN["label"]) == {"yes", "_unknown_"}
    assert set(TRAIN["source"]) == {"my_voice"}
    assert TRAIN["label"]["yes"] == Figures(clips=180, minutes=1.5, rms_dbfs=-18)


def test_means_of_several_splits_weigh_clips():
    both = combined([TRAIN["label"]["yes"], TEST["label"]["yes"]])
    assert both.clips == 240 and both.minutes == 2
    assert both.rms_dbfs == pytest.approx((180 * -18 + 60 * -40) / 240)
    assert combined([]) == Figures()


def test_the_tables_have_every_split_label_and_source():
    text = "".join(to_text(table) for table in corpus_tables({"train": TRAIN, "test": TEST}))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines()]
    assert ["all", "300", "2.5", "-24.0", "0.000%", "0%"] in rows
    assert ["_unknown_", "60", "-", "0", "0.5", "-26.0", "0.000%", "0%"] in rows


def test_statistics_that_are_not_sliced_still_give_the_whole():
    (table,) = corpus_tables({"train": read(statistics(whole=(6, -20)))})
    assert table.title == "By split"


def test_numbers_are_those_of_the_rows(content):
    column = features({"train": content})["level"]["train"]
    level = np.array(ROWS["level"])
    assert isinstance(column.values, Numbers) and (column.present, column.examples) == (4, 4)
    assert column.values.mean == pytest.approx(level.mean())
    assert column.values.std == pytest.approx(level.std())
    assert (column.values.minimum, column.values.maximum) == (-30, -10)
    assert column.values.median == np.median(level)
    assert sum(count for _, _, count in column.values.histogram) == pytest.approx(4)


def test_words_are_counted_and_the_most_frequent_comes_first(content):
    values = features({"train": content})["label"]["train"].values
    assert isinstance(values, Words)
    assert values.unique == 3 and next(iter(values.counts.items())) == ("yes", 2)


def test_a_part_of_the_clips_has_its_own_statistics(content):
    assert slices(content) == ["All Examples", "label_yes"]
    part = features({"train": content}, "label_yes")
    assert part["level"]["train"].values.mean == -25
    assert features({"train": content}, "label_of_nobody") == {}


def test_features_of_numbers_come_first(content):
    assert list(features({"train": content})) == ["level", "clip_id", "label"]
