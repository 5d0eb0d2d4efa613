"""Feature examples for training: in memory if they fit, otherwise streamed from disk by tf.data.

The order of training depends on the seed, the epoch and the examples themselves, not on how they
are distributed over files: in memory they are sorted by clip before they are shuffled. Streamed
examples are shuffled within a window, so there the order of the files does matter.
"""

import dataclasses
import glob
import hashlib
import heapq
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kws.augment.seed import digest
from kws.errors import KwsError
from kws.features.example import FeatureExample

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


Batch = tuple[np.ndarray, np.ndarray]
"""Features `[batch, frames, channels]` in the frontend's type, label indices int32 `[batch]`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset:
    """The examples of one split.

    Attributes:
      files: where they are, sorted; empty if the arrays did not come from files.
      feature_shape: `[frames, channels]`.
      dtype: the frontend's own.
      scale: what a stored value is multiplied by to become the model's float32 input.
      labels: names, in the order of the model's outputs.
      label_index: int32 `[examples]`.
      features: `[examples, frames, channels]` in `dtype`; None if they are streamed from disk.
      fingerprint: 16 hex digits, equal for equal examples in whatever order and files.
      frontend: the features' kind, where it is known.
      balanced: whether an epoch has as many examples of every label; see `shuffled`.
      clip_ids: of the examples, where they are in memory.
      targets: `[examples, ...]`: what `shuffled` yields in place of the label indices; None: those.
    """

    files: tuple[str, ...] = ()
    feature_shape: tuple[int, int]
    dtype: np.dtype
    scale: float
    labels: tuple[str, ...]
    label_index: np.ndarray
    features: np.ndarray | None
    fingerprint: str
    frontend: str | None = None
    balanced: bool = False
    clip_ids: tuple[str, ...] = ()
    targets: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.label_index)

    @property
    def label_counts(self) -> np.ndarray:
        """int64 `[labels]`."""
        return np.bincount(self.label_index, minlength=len(self.labels))

    def steps_per_epoch(self, batch_size: int) -> int:
        return -(-len(self) // batch_size)

    def shuffled(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """One epoch of full batches, from batch number `start` on.

        The last batch is filled up from the beginning of the epoch's order, so that all have one
        shape; the same seed and epoch give the same batches wherever one starts.

        Where `balanced`, an epoch has as many batches, but the same number of examples of every
        label that has any (one more of some, by chance). Of a frequent label an epoch shows a part,
        another one each time; examples of a rare one come again once all of them were there.
        """
        steps = self.steps_per_epoch(batch_size)
        if self.features is None:
            epoch_seed = int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])
            batches = shuffled(
                self.files,
                self.feature_shape,
                self.dtype,
                batch_size,
                seed=epoch_seed,
                steps=steps,
                start=start,
            )
            for features, label_index, _ in batches.as_numpy_iterator():
                yield features, label_index
            return
        rng = np.random.default_rng([seed, epoch])
        if self.balanced:
            order = self._balanced_order(steps * batch_size, rng)
        else:
            order = np.resize(rng.permutation(len(self)), steps * batch_size)
        for step in range(start, steps):
            chosen = order[step * batch_size : (step + 1) * batch_size]
            yield (
                self.features[chosen],
                (self.label_index if self.targets is None else self.targets)[chosen],
            )

    def _balanced_order(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """int64 `[size]` indices of examples."""
        present = np.flatnonzero(self.label_counts)
        slots = rng.permutation(np.resize(rng.permutation(present), size))
        order = np.empty(size, np.int64)
        for label in present:
            wanted = np.flatnonzero(slots == label)
            own = np.flatnonzero(self.label_index == label)
            rounds = -(-len(wanted) // len(own))
            drawn = np.concatenate([rng.permutation(own) for _ in range(rounds)] or [own])
            order[wanted] = drawn[: len(wanted)]
        return order

    def with_sampling(self, sampling: str) -> "Dataset":
        """The same examples, drawn as `TrainingParams.sampling` says.

        Raises:
          KwsError: balanced, but the examples are streamed from disk.
        """
        if sampling == "balanced" and self.features is None:
            raise KwsError(
                f"training.sampling=balanced: the {len(self)} examples do not fit into "
                "training.cache_bytes, and from disk they come as they are",
                hint="allow more memory, or weigh the labels (class_weighting) instead",
            )
        return dataclasses.replace(self, balanced=sampling == "balanced")

    def of_label(self, index: int, most_bytes: int) -> np.ndarray:
        """Features of one label, `[n, frames, channels]`; if they are more, evenly picked ones."""
        count = int(self.label_counts[index])
        size = int(np.prod(self.feature_shape)) * self.dtype.itemsize
        kept = min(count, most_bytes // size)
        picked = np.linspace(0, count, kept, endpoint=False).astype(np.int64)
        if self.features is not None:
            return self.features[np.flatnonzero(self.label_index == index)[picked]]
        found, seen = [np.empty((0, *self.feature_shape), self.dtype)], 0
        for features, label_index in self.in_order(READ_BATCH):
            own = features[label_index == index]
            here = picked[(picked >= seen) & (picked < seen + len(own))] - seen
            found.append(own[here])
            seen += len(own)
        return np.concatenate(found)

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """All examples once, in a fixed order; the last batch may be shorter."""
        if self.features is None:
            batches = parsed(self.files, self.feature_shape, self.dtype, batch_size)
            for features, label_index, _ in batches.as_numpy_iterator():
                yield features, label_index
            return
        for start in range(0, len(self), batch_size):
            stop = start + batch_size
            yield self.features[start:stop], self.label_index[start:stop]


def from_arrays(
    features: np.ndarray,
    label_index: np.ndarray,
    clip_ids: Sequence[str],
    labels: Sequence[str],
    scale: float = 1.0,
    frontend: str | None = None,
) -> Dataset:
    """A dataset of arrays, sorted by clip id (and by content, for copies of one clip).

    Raises:
      KwsError: no examples, or a label index outside `labels`.
    """
    keys = _keys(features, label_index, clip_ids)
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
    return Dataset(
        feature_shape=(features.shape[1], features.shape[2]),
        dtype=features.dtype,
        scale=scale,
        labels=tuple(labels),
        label_index=_checked(label_index, labels)[order],
        features=features[order],
        fingerprint=_fingerprint(keys),
        frontend=frontend,
        clip_ids=tuple(clip_ids[i] for i in order),
    )


def of_examples(
    examples: Sequence[FeatureExample],
    labels: Sequence[str],
    scale: float = 1.0,
    frontend: str | None = None,
) -> Dataset:
    """A dataset of decoded examples.

    Raises:
      KwsError: see `from_arrays`.
    """
    if not examples:
        raise KwsError("there are no examples to train or evaluate on")
    return from_arrays(
        np.stack([example.features for example in examples]),
        np.array([example.label_index for example in examples], np.int32),
        [example.clip_id for example in examples],
        labels,
        scale,
        frontend,
    )


def replayed(examples: Iterable[FeatureExample], count: int, seed: int) -> list[FeatureExample]:
    """At most `count` of the examples, by hash: spread over the labels as they were.

    What a model learned before is learned again among the new ("replay": Robins, "Catastrophic
    forgetting, rehearsal and pseudorehearsal", 1995).
    """

    def rank(example: FeatureExample) -> bytes:
        # The content tells copies of one clip apart.
        content = zlib.crc32(np.ascontiguousarray(example.features).tobytes())
        return digest(seed, "replay", example.clip_id, content)

    return heapq.nsmallest(count, examples, key=rank)


def read(
    patterns: Sequence[str],
    feature_shape: tuple[int, int],
    dtype: np.dtype,
    labels: Sequence[str],
    *,
    scale: float,
    cache_bytes: int,
    frontend: str | None = None,
) -> Dataset:
    """Reads gzip TFRecords of feature examples (see `kws.features.example`).

    Args:
      patterns: globs of files.
      scale: a stored value times this is the model's input.
      cache_bytes: examples that need more memory than this stay on disk.
      frontend: what made the features.

    Raises:
      KwsError: no file, no example, or examples that do not fit shape, dtype or labels.
    """
    files = tuple(sorted({path for pattern in patterns for path in glob.glob(pattern)}))
    if not files:
        raise KwsError(f"no files of examples match {', '.join(patterns)}")
    dtype = np.dtype(dtype)
    kept: list[np.ndarray] | None = []
    bytes_read = 0
    indices: list[np.ndarray] = []
    clip_ids: list[str] = []
    keys: list[str] = []
    for features, label_index, clips in _batches(files, feature_shape, dtype):
        names = [clip.decode() for clip in clips]
        indices.append(label_index)
        clip_ids.extend(names)
        keys.extend(_keys(features, label_index, names))
        bytes_read += features.nbytes
        if kept is not None and bytes_read <= cache_bytes:
            kept.append(features)
        else:
            kept = None
    label_index = np.concatenate(indices) if indices else np.zeros(0, np.int32)
    if kept:
        stacked = np.concatenate(kept)
        kept.clear()  # sorting makes a copy: do not hold three
        cached = from_arrays(stacked, label_index, clip_ids, labels, scale, frontend)
        return dataclasses.replace(cached, files=files)
    return Dataset(
        files=files,
        feature_shape=feature_shape,
        dtype=dtype,
        scale=scale,
        labels=tuple(labels),
        label_index=_checked(label_index, labels),
        features=None,
        fingerprint=_fingerprint(keys),
        frontend=frontend,
    )


def _batches(
    files: Sequence[str], feature_shape: tuple[int, int], dtype: np.dtype
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    import tensorflow as tf

    try:
        batches = parsed(files, feature_shape, dtype, READ_BATCH)
        yield from batches.as_numpy_iterator()
    except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
        raise KwsError(
            f"{files[0]} and its neighbours do not hold feature examples of shape "
            f"{list(feature_shape)} and type {dtype}: {error.message.splitlines()[0]}",
            hint="frontend.json beside them must be the one that they were made with",
        ) from error


def _checked(label_index: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    if not len(label_index):
        raise KwsError("there are no examples to train or evaluate on")
    for index in (int(label_index.min()), int(label_index.max())):
        if not 0 <= index < len(labels):
            raise KwsError(
                f"label_index={index} is none of the {len(labels)} labels {', '.join(labels)}",
                hint="the examples were made for other keywords",
            )
    return label_index.astype(np.int32)


def _keys(features: np.ndarray, label_index: np.ndarray, clip_ids: Sequence[str]) -> list[str]:
    return [
        f"{clip}/{zlib.crc32(row.tobytes()):08x}/{label}"
        for clip, row, label in zip(clip_ids, features, label_index, strict=True)
    ]


def _fingerprint(keys: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:16]
