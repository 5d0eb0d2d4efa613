"""FeatureExample: the features of one clip and their slicing keys, and the tf.Example form."""

import dataclasses
from collections.abc import Sequence

import numpy as np

SLICING_KEYS = (
    "label",
    "word",
    "speaker",
    "source",
    "snr_bucket",
    "augmentation",
    "novelty",
    "clip_id",
)


FEATURES_FIELD = "features"
LABEL_INDEX_FIELD = "label_index"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureExample:
    """Features of one clip.

    Attributes:
      features: `[frames, channels]` in the frontend's own type (uint16 micro, else float32).
      label_index: into `kws.labels.label_list(keywords)`.
      label: of the clip.
      word: the spoken word.
      speaker: who says it.
      source: that the clip is from.
      augmentation: what was done to it.
      novelty: of its word.
      clip_id: of the clip.
      snr_bucket: see `snr_bucket`.
    """

    features: np.ndarray
    label_index: int
    label: str
    word: str
    speaker: str
    source: str
    snr_bucket: str
    augmentation: str
    novelty: str
    clip_id: str


def snr_bucket(snr_db: float | None) -> str:
    """`clean` where unknown, else a range of 10 dB: `below_0`, `0_to_10`, `10_to_20`, `20_up`."""
    if snr_db is None:
        return "clean"
    for limit, name in ((0, "below_0"), (10, "0_to_10"), (20, "10_to_20")):
        if snr_db < limit:
            return name
    return "20_up"


def encode(example: FeatureExample) -> bytes:
    """A serialized tf.Example; `features` holds the raw little-endian values, row by row."""
    import tensorflow as tf

    def text(value: str) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))

    features = np.ascontiguousarray(example.features)
    raw = features.astype(features.dtype.newbyteorder("<"), copy=False).tobytes()
    feature = {
        FEATURES_FIELD: tf.train.Feature(bytes_list=tf.train.BytesList(value=[raw])),
        LABEL_INDEX_FIELD: tf.train.Feature(
            int64_list=tf.train.Int64List(value=[example.label_index])
        ),
    }
    feature.update({key: text(getattr(example, key)) for key in SLICING_KEYS})
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString(
        deterministic=True
    )


def stack(raw: Sequence[bytes], shape: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    """Many `features` fields as one array `[n, frames, channels]` of the frontend's dtype.

    Raises:
      ValueError: the fields are not of that shape and dtype.
    """
    values = np.frombuffer(b"".join(raw), np.dtype(dtype).newbyteorder("<"))
    return values.reshape(len(raw), *shape).astype(dtype, copy=False)


def decode(serialized: bytes, shape: tuple[int, int], dtype: np.dtype) -> FeatureExample:
    """What `encode` wrote; shape and dtype come from the FeatureParams beside the dataset.

    Raises:
      ValueError: the stored features are not of that shape and dtype.
    """
    import tensorflow as tf

    feature = tf.train.Example.FromString(serialized).features.feature
    return FeatureExample(
        features=stack([feature[FEATURES_FIELD].bytes_list.value[0]], shape, dtype)[0],
        label_index=feature[LABEL_INDEX_FIELD].int64_list.value[0],
        **{key: feature[key].bytes_list.value[0].decode() for key in SLICING_KEYS},
    )
