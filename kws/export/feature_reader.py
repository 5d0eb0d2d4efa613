"""Feature examples of one split, one after another, from the gzip TFRecords of a dataset."""

from collections.abc import Iterator
from pathlib import Path

from kws import features
from kws.errors import KwsError
from kws.features import example
from kws.features.params import FeatureParams
from kws.labels import UNKNOWN
from kws.scenes import example as scenes
from kws.scenes.scene import is_positive


def records(split_folder: str | Path) -> Iterator[bytes]:
    """Serialized examples of `<root>/Split-<name>`, files in order of their names.

    Raises:
      KwsError: there is no file.
    """
    import tensorflow as tf

    paths = sorted(str(path) for path in Path(split_folder).glob("*.gz"))
    if not paths:
        raise KwsError(f"{split_folder} holds no examples", hint="expected data_tfrecord-*.gz")
    yield from tf.data.TFRecordDataset(paths, compression_type="GZIP").as_numpy_iterator()


def read(split_folder: str | Path, params: FeatureParams) -> Iterator[example.FeatureExample]:
    """The examples, decoded; scenes are given as clips, see `scene_as_clip`.

    Raises:
      KwsError: there is no file, or the features are not those that `params` describes.
    """
    dtype = features.frontend_class(params.frontend).dtype
    for serialized in records(split_folder):
        try:
            if scenes.is_scene(serialized):
                yield scene_as_clip(scenes.decode_features(serialized, params.feature_shape, dtype))
            else:
                yield example.decode(serialized, params.feature_shape, dtype)
        except ValueError as error:
            raise KwsError(
                f"{split_folder} holds features that are not {dtype} {list(params.feature_shape)}",
                hint="frontend.json beside them must be the one that they were made with",
            ) from error


def scene_as_clip(scene: scenes.SceneFeatures) -> example.FeatureExample:
    """For whoever wants features with a name, as test vectors do: labelled by its first keyword."""
    keyword = next((w.label for w in scene.truth.words if is_positive(w.label)), UNKNOWN)
    return example.FeatureExample(
        features=scene.features,
        label_index=int(keyword != UNKNOWN),
        label=keyword,
        word="",
        speaker="",
        source="",
        snr_bucket=example.snr_bucket(None),
        augmentation="none",
        novelty="",
        clip_id=scene.truth.stream_id,
    )
