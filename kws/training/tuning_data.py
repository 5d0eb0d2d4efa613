"""Datasets for the trials of a search: features from audio, once for each set of parameters."""

import dataclasses
import glob
import hashlib
import itertools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from kws import features
from kws.audio import clip as clips
from kws.audio.clip import Clip
from kws.errors import KwsError
from kws.features import clip_features, model_input
from kws.features.params import FeatureParams
from kws.training import dataset
from kws.training.dataset import Dataset

log = logging.getLogger(__name__)

_BATCH = 128


class ClipData:
    """Train and eval datasets of audio examples, for whichever features a trial has.

    The numbers are those that SpectrogramTransform writes, in the Trainer's order. They are kept in
    files and mapped into memory, so that several sets of features need no more of it than one.
    """

    def __init__(
        self, train: Sequence[str], evaluation: Sequence[str], labels: Sequence[str], folder: Path
    ):
        """Remembers where the clips are; features are computed when a trial asks for them.

        Args:
          train: globs of gzip TFRecords of clips to learn from (see `kws.audio.clip`).
          evaluation: the same, to judge trials by.
          labels: as of `kws.labels.label_list`.
          folder: where features are kept; who made it clears it.
        """
        self._patterns = {"train": tuple(train), "eval": tuple(evaluation)}
        self._labels = tuple(labels)
        self._folder = folder
        self._made: dict[FeatureParams, tuple[Dataset, Dataset]] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    def __call__(self, params: FeatureParams) -> tuple[Dataset, Dataset]:
        """The datasets with these features: (train, eval).

        Raises:
          KwsError: there are no clips, or one that does not fit the parameters or the labels.
        """
        if params not in self._made:
            self._made[params] = self._make(params, "train"), self._make(params, "eval")
        return self._made[params]

    def _make(self, params: FeatureParams, split: str) -> Dataset:
        frontend = features.create(params)
        rows: list[np.ndarray] = []
        label_index: list[int] = []
        clip_ids: list[str] = []
        for batch in _batches(_read(self._patterns[split])):
            for clip in batch:
                clip_features.check_clip(clip, params, self._labels)
                label_index.append(self._labels.index(clip.label))
                clip_ids.append(clip.clip_id)
            rows.extend(clip_features.features_of(batch, frontend))
        if not rows:
            raise KwsError(f"split {split} has no clips: nothing to search with")
        computed = dataset.from_arrays(
            np.stack(rows),
            np.array(label_index, np.int32),
            clip_ids,
            self._labels,
            model_input.input_scale(params),
            params.frontend,
        )
        log.info("Features with a hop of %g ms of %d clips", params.window_stride_ms, len(computed))
        name = hashlib.sha256(params.to_json().encode()).hexdigest()[:16]
        file = self._folder / f"{name}-{split}.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        assert computed.features is not None
        np.save(file, computed.features)
        return dataclasses.replace(computed, features=np.load(file, mmap_mode="r"))


def _read(patterns: Sequence[str]) -> Iterator[Clip]:
    import tensorflow as tf

    files = sorted({file for pattern in patterns for file in glob.glob(pattern)})
    for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
        yield clips.decode(record)


def _batches(read: Iterator[Clip]) -> Iterator[list[Clip]]:
    while batch := list(itertools.islice(read, _BATCH)):
        yield batch
