"""Scenes for training: features of whole scenes, a label at every step, and pieces cut of both.

A recurrent network over 1,375 steps is a chain of so many small computations. Pieces of scenes make
the chain shorter and the batch larger: on a CPU the same audio is then trained on two to three
times as fast, and in more updates.
"""

import dataclasses
import glob
import hashlib
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from kws.errors import KwsError
from kws.scenes.example import SceneFeatures, decode_features
from kws.scenes.scene import is_positive

NOTHING = "_nothing_"
"""Name of a step labelled 0, for confusion matrices."""
POOL_BYTES = 256_000_000
"""Scenes from disk are shuffled in pools of about so many bytes."""

Batch = tuple[np.ndarray, np.ndarray]
"""Features `[batch, frames, channels]` in the frontend's type, labels of steps uint8
`[batch, steps]`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Piecing:
    """How a step lies on frames, and how pieces are cut.

    Attributes:
      kernel: frames that the first step hears.
      stride: frames that every further step takes.
      steps: of a piece; None: scenes are not cut.
    """

    kernel: int
    stride: int
    steps: int | None = None

    def frames(self, steps: int) -> int:
        """How many frames so many steps hear."""
        return (steps - 1) * self.stride + self.kernel


@dataclasses.dataclass(frozen=True, kw_only=True)
class SceneDataset:
    """The scenes of one split; to the loop of training what `kws.training.dataset.Dataset` is.

    Attributes:
      files: where they are, sorted.
      scene_shape: `[frames, channels]` of a scene.
      feature_shape: of what `shuffled` yields: a scene, or a piece of one.
      dtype: the frontend's own.
      scale: what a stored value is multiplied by to become the model's float32 input.
      labels: names of a step's labels 0 and 1.
      label_steps: uint8 `[scenes, steps]`.
      barred: bool `[scenes, steps]`: steps with which no piece begins, see `barred_steps`.
      features: `[scenes, frames, channels]`; None if they are streamed from disk.
      piecing: how pieces are cut.
      fingerprint: 16 hex digits, equal for equal scenes and pieces.
    """

    files: tuple[str, ...]
    scene_shape: tuple[int, int]
    feature_shape: tuple[int, int]
    dtype: np.dtype
    scale: float
    labels: tuple[str, str]
    label_steps: np.ndarray
    barred: np.ndarray
    features: np.ndarray | None
    piecing: Piecing
    fingerprint: str

    def __len__(self) -> int:
        """Pieces of an epoch; without pieces, scenes."""
        return len(self.label_steps) * self._pieces_per_scene

    @property
    def label_counts(self) -> np.ndarray:
        """int64 `[2]`: steps labelled 0 and 1."""
        ones = int(self.label_steps.sum())
        return np.array([self.label_steps.size - ones, ones], np.int64)

    def steps_per_epoch(self, batch_size: int) -> int:
        return -(-len(self) // batch_size)

    def shuffled(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """One epoch of full batches, from batch number `start` on.

        The last batch is filled up with the epoch's first pieces. Scenes in memory are shuffled
        all together, those on disk within pools of neighbours.
        """
        rng = np.random.default_rng([seed, epoch])
        waiting: list[tuple[np.ndarray, np.ndarray]] = []
        first: list[tuple[np.ndarray, np.ndarray]] = []
        number, steps = 0, self.steps_per_epoch(batch_size)
        for piece in self._pieces(rng):
            if len(first) < batch_size:
                first.append(piece)
            waiting.append(piece)
            if len(waiting) == batch_size:
                if number >= start:
                    yield _stacked(waiting)
                waiting, number = [], number + 1
        if number < steps and number >= start:
            filled = [*waiting, *first]
            yield _stacked([filled[i % len(filled)] for i in range(batch_size)])

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """All whole scenes once, in a fixed order; the last batch may be shorter."""
        for pool, features in self._pools(batch_size):
            yield features, self.label_steps[pool]

    @property
    def _pieces_per_scene(self) -> int:
        steps = self.piecing.steps
        return 1 if steps is None else max(1, self.label_steps.shape[1] // steps)

    def _pieces(self, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        piecing, total = self.piecing, self.label_steps.shape[1]
        length = total if piecing.steps is None else piecing.steps
        frames = self.feature_shape[0]
        bytes_each = self.dtype.itemsize * self.scene_shape[0] * self.scene_shape[1]
        size = len(self.label_steps) if self.features is not None else POOL_BYTES // bytes_each
        for pool, features in self._pools(max(1, size)):
            rows = np.repeat(np.arange(len(pool)), self._pieces_per_scene)
            for row in rng.permutation(rows):
                free = np.flatnonzero(~self.barred[pool[row], : total - length + 1])
                begin = int(rng.choice(free)) if free.size else 0
                frame = begin * piecing.stride
                yield (
                    features[row, frame : frame + frames],
                    self.label_steps[pool[row], begin : begin + length],
                )

    def _pools(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(Numbers of scenes, their features `[n, frames, channels]`), in order."""
        if self.features is not None:
            for begin in range(0, len(self.features), size):
                pool = np.arange(begin, min(begin + size, len(self.features)))
                yield pool, self.features[begin : begin + size]
            return
        begin, held = 0, []
        for scene in _scenes(self.files, self.scene_shape, self.dtype):
            held.append(scene.features)
            if len(held) == size:
                yield np.arange(begin, begin + size), np.stack(held)
                begin, held = begin + size, []
        if held:
            yield np.arange(begin, begin + len(held)), np.stack(held)


def read(
    patterns: Sequence[str],
    scene_shape: tuple[int, int],
    dtype: np.dtype,
    keyword: str,
    steps: int,
    piecing: Piecing,
    *,
    scale: float,
    cache_bytes: int,
) -> SceneDataset:
    """Reads gzip TFRecords of scenes (see `kws.scenes.example.encode_features`).

    Args:
      patterns: globs of files.
      scene_shape: `[frames, channels]`.
      keyword: names the label 1.
      steps: that the model has in a scene.
      scale: a stored value times this is the model's input.
      cache_bytes: scenes that need more memory than this stay on disk.

    Raises:
      KwsError: no file, no scene, other features than said, or labels of another number of steps.
    """
    dtype = np.dtype(dtype)
    files = tuple(sorted({path for pattern in patterns for path in glob.glob(pattern)}))
    if not files:
        raise KwsError(f"no files of scenes match {', '.join(patterns)}")
    if piecing.steps is not None and piecing.steps > steps:
        raise KwsError(
            f"training.steps.crop_steps={piecing.steps} is more than the {steps} steps of a scene"
        )
    kept: list[np.ndarray] | None = []
    labels, barred, keys = [], [], []
    bytes_read = 0
    for scene in _scenes(files, scene_shape, dtype):
        if len(scene.steps) != steps:
            raise KwsError(
                f"scene {scene.truth.stream_id} has labels of {len(scene.steps)} steps, the model "
                f"{steps}",
                hint="scenes.steps must be what the model makes of the features' frames",
            )
        labels.append(scene.steps.astype(np.uint8))
        barred.append(barred_steps(scene))
        content = zlib.crc32(np.ascontiguousarray(scene.features).tobytes())
        keys.append(f"{scene.truth.stream_id}/{content:08x}/{zlib.crc32(labels[-1].tobytes()):08x}")
        bytes_read += scene.features.nbytes
        if kept is not None and bytes_read <= cache_bytes:
            kept.append(scene.features)
        else:
            kept = None
    if not labels:
        raise KwsError("there are no scenes to train or evaluate on")
    # Beam may have written them in any order; on disk that order stays.
    order = np.argsort(keys) if kept is not None else np.arange(len(keys))
    frames = scene_shape[0] if piecing.steps is None else piecing.frames(piecing.steps)
    identity = "\n".join([repr(piecing), *(sorted(keys) if kept is not None else keys)])
    return SceneDataset(
        files=files,
        scene_shape=scene_shape,
        feature_shape=(frames, scene_shape[1]),
        dtype=dtype,
        scale=scale,
        labels=(NOTHING, keyword),
        label_steps=np.stack(labels)[order],
        barred=np.stack(barred)[order],
        features=np.stack([kept[i] for i in order]) if kept is not None else None,
        piecing=piecing,
        fingerprint=hashlib.sha256(identity.encode()).hexdigest()[:16],
    )


def barred_steps(scene: SceneFeatures) -> np.ndarray:
    """bool `[steps]`: from the beginning of each keyword to the end of its ones.

    A piece that began there would ask for an answer to a word that it does not hold.
    """
    steps, duration_ms = len(scene.steps), scene.truth.duration_ms
    barred = scene.steps.astype(bool)
    for word in scene.truth.words:
        if is_positive(word.label):
            first = word.start_ms * steps // duration_ms
            barred[first : word.end_ms * steps // duration_ms + 1] = True
    return barred


def _scenes(
    files: Sequence[str], shape: tuple[int, int], dtype: np.dtype
) -> Iterator[SceneFeatures]:
    import tensorflow as tf

    for serialized in tf.data.TFRecordDataset(
        list(files), compression_type="GZIP"
    ).as_numpy_iterator():
        try:
            yield decode_features(serialized, shape, dtype)
        except (ValueError, IndexError) as error:
            raise KwsError(
                f"{files[0]} and its neighbours do not hold scenes of features {list(shape)} of "
                f"{dtype}",
                hint="frontend.json beside them must be the one that they were made with",
            ) from error


def _stacked(pieces: Sequence[tuple[np.ndarray, np.ndarray]]) -> Batch:
    return np.stack([features for features, _ in pieces]), np.stack([steps for _, steps in pieces])
