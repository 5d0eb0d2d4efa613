"""Feature examples from disk by tf.data: parsed in batches, or shuffled for one epoch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

READ_BATCH = 512
_SHUFFLE_BYTES = 256_000_000


def parsed(
    files: Sequence[str], feature_shape: tuple[int, int], dtype: np.dtype, batch_size: int
) -> "tf.data.Dataset":
    """All examples once, in the order of the files: batches of (features, label_index, clip_id).

    Iterating raises tf.errors.InvalidArgumentError where an example is not of that shape and type.
    """
    records = _records(files).batch(batch_size)
    return records.map(lambda batch: _parse(batch, feature_shape, dtype)).prefetch(2)


def shuffled(
    files: Sequence[str],
    feature_shape: tuple[int, int],
    dtype: np.dtype,
    batch_size: int,
    *,
    seed: int,
    steps: int,
    start: int,
) -> "tf.data.Dataset":
    """Batches `start` to `steps` of an endless shuffle: (features, label_index, clip_id).

    The shuffle's window holds as many examples as fit `_SHUFFLE_BYTES`, about a minute of reading.
    """
    window = max(batch_size, _SHUFFLE_BYTES // (np.dtype(dtype).itemsize * _size(feature_shape)))
    records = _records(files).shuffle(window, seed=seed).repeat()
    batches = records.batch(batch_size, drop_remainder=True).skip(start).take(steps - start)
    return batches.map(lambda batch: _parse(batch, feature_shape, dtype)).prefetch(2)


def _records(files: Sequence[str]) -> "tf.data.Dataset":
    import tensorflow as tf

    return tf.data.TFRecordDataset(list(files), compression_type="GZIP")


def _size(feature_shape: tuple[int, int]) -> int:
    return feature_shape[0] * feature_shape[1]


def _parse(
    serialized: "tf.Tensor", feature_shape: tuple[int, int], dtype: np.dtype
) -> "tuple[tf.Tensor, tf.Tensor, tf.Tensor]":
    import tensorflow as tf

    example = tf.io.parse_example(
        serialized,
        {
            "features": tf.io.FixedLenFeature([], tf.string),
            "label_index": tf.io.FixedLenFeature([], tf.int64),
            "clip_id": tf.io.FixedLenFeature([], tf.string),
        },
    )
    values = tf.io.decode_raw(example["features"], tf.dtypes.as_dtype(dtype))
    values = tf.ensure_shape(values, [None, _size(feature_shape)])
    features = tf.reshape(values, [-1, *feature_shape])
    return features, tf.cast(example["label_index"], tf.int32), example["clip_id"]
