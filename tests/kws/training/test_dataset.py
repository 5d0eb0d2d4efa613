"""Examples come back as they were written, in an order that only seed and content decide."""

import numpy as np
import pytest

from kws.errors import KwsError
from kws.features import example
from kws.training import dataset
from kws.training.dataset import Dataset

SHAPE, LABELS = (3, 2), ("_silence_", "_unknown_", "yes")


def examples(count: int) -> list[example.FeatureExample]:
    rng = np.random.default_rng(0)
    return [
        example.FeatureExample(
            features=rng.integers(0, 65536, SHAPE, np.uint16),
            label_index=number % 3,
            label=LABELS[number % 3],
            word="",
            speaker="",
            source="",
            snr_bucket="clean",
            augmentation="none",
            novelty="keyword",
            clip_id=f"{number // 2:04d}",  # two copies of each clip
        )
        for number in range(count)
    ]


def write(folder, rows: list[example.FeatureExample], shards: int) -> None:
    import tensorflow as tf

    folder.mkdir()
    for shard in range(shards):
        path = str(folder / f"data_tfrecord-{shard:05d}-of-{shards:05d}.gz")
        with tf.io.TFRecordWriter(path, "GZIP") as writer:
            for row in rows[shard::shards]:
                writer.write(example.encode(row))


def read(folder, **changes) -> Dataset:
    arguments = dict(feature_shape=SHAPE, dtype=np.uint16, labels=LABELS, scale=0.5)
    arguments.update(cache_bytes=10**6)
    arguments.update(changes)
    return dataset.read([str(folder / "*")], **arguments)


def rows_of(batches) -> list[bytes]:
    return [row.tobytes() for features, _ in batches for row in features]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples") / "Split-train"
    write(folder, examples(10), shards=2)
    return folder


def test_examples_in_memory_are_those_written_in_the_frontends_own_type(folder):
    data = read(folder)
    written = {row.features.tobytes(): row.label_index for row in examples(10)}
    found = {
        row.tobytes(): int(label)
        for row, label in zip(data.features, data.label_index, strict=True)
    }
    assert data.features is not None and data.features.dtype == np.uint16
    assert found == written
    assert data.label_counts.tolist() == [4, 3, 3]


def test_the_order_of_training_does_not_depend_on_files(folder, tmp_path):
    write(tmp_path / "other", examples(10)[::-1], shards=3)
    data, other = read(folder), read(tmp_path / "other")
    assert rows_of(data.shuffled(4, 1, 0)) == rows_of(other.shuffled(4, 1, 0))
    assert data.fingerprint == other.fingerprint


@pytest.mark.parametrize("cache_bytes", [10**6, 50])
def test_an_epoch_shows_every_example_in_full_batches_and_can_be_entered_anywhere(
    folder, cache_bytes
):
    data = read(folder, cache_bytes=cache_bytes)
    assert (data.features is None) == (cache_bytes == 50)
    batches = list(data.shuffled(4, 1, 0))
    assert [len(features) for features, _ in batches] == [4, 4, 4]
    assert set(rows_of(batches)) == {row.features.tobytes() for row in examples(10)}
    assert rows_of(data.shuffled(4, 1, 0, start=2)) == rows_of(batches[2:])
    assert rows_of(data.shuffled(4, 1, 1)) != rows_of(batches)
    assert rows_of(data.shuffled(4, 2, 0)) != rows_of(batches)


def test_what_does_not_fit_in_memory_is_streamed_and_otherwise_equal(folder):
    cached, streamed = read(folder), read(folder, cache_bytes=50)
    assert streamed.features is None and len(streamed) == len(cached) == 10
    assert streamed.fingerprint == cached.fingerprint
    assert sorted(rows_of(streamed.in_order(3))) == sorted(rows_of(cached.in_order(3)))
    assert streamed.label_counts.tolist() == cached.label_counts.tolist()


def test_another_shape_than_written_is_refused(folder):
    with pytest.raises(KwsError, match=r"do not hold feature examples of shape \[3, 3\]"):
        read(folder, feature_shape=(3, 3))


def test_a_label_that_the_model_would_not_have_is_refused(folder):
    with pytest.raises(KwsError, match="label_index=2 is none of the 2 labels"):
        read(folder, labels=LABELS[:2])


def test_no_files_are_refused_by_their_pattern(tmp_path):
    with pytest.raises(KwsError, match=r"no files of examples match .*nothing"):
        dataset.read(
            [str(tmp_path / "nothing*")], SHAPE, np.dtype(np.uint16), LABELS, scale=1, cache_bytes=1
        )


def unequal() -> Dataset:
    """12, 3 and no examples of the labels."""
    label_index = np.array([0] * 12 + [1] * 3)
    values = np.arange(15, dtype=np.uint16)[:, None, None] * np.ones((1, *SHAPE), np.uint16)
    ids = [f"{number:02d}" for number in range(15)]
    return dataset.from_arrays(values.astype(np.uint16), label_index, ids, LABELS)


def test_balanced_sampling_shows_every_label_equally_often_and_can_be_entered_anywhere():
    data = unequal().with_sampling("balanced")
    batches = list(data.shuffled(4, seed=1, epoch=0))
    shown = np.concatenate([label_index for _, label_index in batches])
    assert np.bincount(shown).tolist() == [8, 8]
    assert rows_of(data.shuffled(4, 1, 0, start=2)) == rows_of(batches[2:])
    rare = [row for row in rows_of(batches) if np.frombuffer(row, np.uint16)[0] >= 12]
    assert sorted(rare.count(row) for row in set(rare)) == [2, 3, 3]


def test_balanced_sampling_shows_other_examples_of_a_frequent_label_in_other_epochs():
    data = unequal().with_sampling("balanced")
    shown = [set(rows_of(data.shuffled(4, 1, epoch))) for epoch in range(6)]
    assert shown[0] != shown[1] and len(set.union(*shown)) == 15


def test_balanced_sampling_of_streamed_examples_is_refused(folder):
    with pytest.raises(KwsError, match="sampling=balanced: the 10 examples do not fit"):
        read(folder, cache_bytes=50).with_sampling("balanced")


@pytest.mark.parametrize("cache_bytes", [10**6, 50])
def test_examples_of_one_label_can_be_taken_out_up_to_a_size(folder, cache_bytes):
    data = read(folder, cache_bytes=cache_bytes)
    of_label = {row.features.tobytes() for row in examples(10) if row.label_index == 0}
    assert {row.tobytes() for row in data.of_label(0, 10**6)} == of_label
    assert len(data.of_label(0, 2 * 12)) == 2


def test_the_same_examples_are_replayed_in_whatever_order_they_come():
    every = examples(20)
    chosen = dataset.replayed(every, 5, seed=0)
    assert len(chosen) == 5
    again = dataset.replayed(every[::-1], 5, seed=0)
    assert [one.features.tobytes() for one in again] == [one.features.tobytes() for one in chosen]
    # Two copies of a clip have one id, and are two examples all the same.
    assert len({one.features.tobytes() for one in dataset.replayed(every, 100, seed=0)}) == 20
    made = dataset.of_examples(chosen, LABELS, 0.5)
    assert sorted(rows_of(made.in_order(5))) == sorted(one.features.tobytes() for one in chosen)
    assert made.scale == 0.5
    with pytest.raises(KwsError, match="no examples"):
        dataset.of_examples([], LABELS)
