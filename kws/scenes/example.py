"""Scenes as tf.Examples: audio or features with the label vector and ground truth.

`read_scenes` reads the scenes of one split from the gzip TFRecords of a dataset of features.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws import features
from kws.errors import KwsError
from kws.features.example import FEATURES_FIELD, stack
from kws.features.params import FeatureParams
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.scene import Scene, is_positive

if TYPE_CHECKING:
    import tensorflow as tf


STEPS_FIELD = "steps"
"""int64 `[steps]`, the label vector."""
SCENE_ID_FIELD = "scene_id"
TRUTH_FIELD = "truth"
"""`GroundTruth` as JSON."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SceneFeatures:
    """What a model learns from.

    Attributes:
      features: `[frames, channels]` of the whole scene, in the frontend's own type.
      steps: int64 `[steps]`.
      truth: as in the scene.
    """

    features: np.ndarray
    steps: np.ndarray
    truth: GroundTruth


def encode(scene: Scene) -> bytes:
    """A serialized tf.Example of audio.

    Fields: `audio` (little-endian int16 bytes), `sample_rate`, `duration_ms`, `scene_id`, `steps`
    (int64 `[steps]`), `truth` (JSON), and the counts `positives`, `negatives`, `left_out`.
    """
    truth = scene.truth
    positives = sum(is_positive(word.label) for word in truth.words)
    return _serialized(
        {
            "audio": _bytes(np.ascontiguousarray(scene.audio, "<i2").tobytes()),
            "sample_rate": _int(truth.sample_rate),
            "duration_ms": _int(truth.duration_ms),
            "positives": _int(positives),
            "negatives": _int(len(truth.words) - positives),
            "left_out": _int(scene.left_out),
            **_labels(scene.steps, truth),
        }
    )


def decode(serialized: bytes) -> Scene:
    """The scene that `encode` wrote."""
    feature = _parsed(serialized)
    return Scene(
        audio=np.frombuffer(feature["audio"].bytes_list.value[0], "<i2"),
        steps=np.array(feature[STEPS_FIELD].int64_list.value, np.int64),
        truth=GroundTruth.from_json(feature[TRUTH_FIELD].bytes_list.value[0]),
        left_out=feature["left_out"].int64_list.value[0],
    )


def encode_features(example: SceneFeatures) -> bytes:
    """A serialized tf.Example: `features` (raw little-endian), `steps`, `scene_id`, `truth`."""
    features = np.ascontiguousarray(example.features)
    raw = features.astype(features.dtype.newbyteorder("<"), copy=False).tobytes()
    return _serialized({FEATURES_FIELD: _bytes(raw), **_labels(example.steps, example.truth)})


def decode_features(serialized: bytes, shape: tuple[int, int], dtype: np.dtype) -> SceneFeatures:
    """What `encode_features` wrote; shape and dtype come from the FeatureParams beside the dataset.

    Raises:
      ValueError: the stored features are not of that shape and dtype.
    """
    feature = _parsed(serialized)
    return SceneFeatures(
        features=stack([feature[FEATURES_FIELD].bytes_list.value[0]], shape, dtype)[0],
        steps=np.array(feature[STEPS_FIELD].int64_list.value, np.int64),
        truth=GroundTruth.from_json(feature[TRUTH_FIELD].bytes_list.value[0]),
    )


def is_scene(serialized: bytes) -> bool:
    """Whether a serialized tf.Example is a scene, of audio or of features, and no clip."""
    return STEPS_FIELD in _parsed(serialized)


def _labels(steps: np.ndarray, truth: GroundTruth) -> "dict[str, tf.train.Feature]":
    import tensorflow as tf

    return {
        STEPS_FIELD: tf.train.Feature(int64_list=tf.train.Int64List(value=steps)),
        SCENE_ID_FIELD: _bytes(truth.stream_id.encode()),
        TRUTH_FIELD: _bytes(truth.to_json().encode()),
    }


def _bytes(value: bytes) -> "tf.train.Feature":
    import tensorflow as tf

    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _int(value: int) -> "tf.train.Feature":
    import tensorflow as tf

    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))


def _serialized(feature: "dict[str, tf.train.Feature]") -> bytes:
    import tensorflow as tf

    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)


def _parsed(serialized: bytes):  # protobuf's map type has no stable name to annotate
    import tensorflow as tf

    return tf.train.Example.FromString(serialized).features.feature


def read_scenes(split_folder: str | Path, params: FeatureParams) -> Iterator[SceneFeatures]:
    """The scenes, decoded, in the order of the files' names.

    Raises:
      KwsError: there is no file, or the features are not those that `params` describes.
    """
    import tensorflow as tf

    paths = sorted(str(path) for path in Path(split_folder).glob("*.gz"))
    if not paths:
        raise KwsError(f"{split_folder} holds no scenes", hint="expected data_tfrecord-*.gz")
    dtype = features.frontend_class(params.frontend).dtype
    for serialized in tf.data.TFRecordDataset(paths, compression_type="GZIP").as_numpy_iterator():
        try:
            yield decode_features(serialized, params.feature_shape, dtype)
        except (ValueError, IndexError) as error:
            raise KwsError(
                f"{split_folder} holds no scenes of {dtype} {list(params.feature_shape)}",
                hint="frontend.json beside them must be the one that they were made with",
            ) from error
