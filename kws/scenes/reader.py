"""Scenes of one split, one after another, from the gzip TFRecords of a dataset of features."""

from collections.abc import Iterator
from pathlib import Path

from kws import features
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.scenes.example import SceneFeatures, decode_features


def read(split_folder: str | Path, params: FeatureParams) -> Iterator[SceneFeatures]:
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
