"""Clip: one recording as the product passes it around, and its tf.Example form."""

import dataclasses
import hashlib
from typing import Literal

import numpy as np

from kws.audio import descriptors

Novelty = Literal["keyword", "heard", "new_word", "silence"]
"""What a model may have heard of a clip's word in training: a keyword; another word that training
has too; a word that training never has; no word at all. A slicing key."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clip:
    """16-bit PCM mono with its labels.

    Attributes:
      audio: int16 `[samples]`; begins with `lead_in_ms` of sound that only adapts the frontend.
      sample_rate: Hz.
      label: a keyword, `_unknown_` or `_silence_`.
      word: what was really said ("" where nothing was).
      speaker: of the word, or of the recording.
      source: which corpus or engine it came from.
      clip_id: stable: a hash of content and origin.
      novelty: see `Novelty`.
      augmentation: "none", or what was done to it.
      snr_db: word over background, where known.
      original_rate, original_channels: of the file.
      file: inside the corpus, so that a person can find a clip that something is wrong with; "" for
        one that was made up, and where speakers are pseudonyms: a name may tell who it is.
    """

    audio: np.ndarray
    sample_rate: int
    label: str
    word: str
    speaker: str
    source: str
    clip_id: str
    novelty: Novelty
    augmentation: str = "none"
    snr_db: float | None = None
    lead_in_ms: int = 0
    original_rate: int = 0
    original_channels: int = 1
    file: str = ""

    @property
    def lead_in_samples(self) -> int:
        return self.sample_rate * self.lead_in_ms // 1000


def clip_id(audio: np.ndarray, origin: str) -> str:
    """16 hex digits of the SHA-256 of the samples and where they came from."""
    digest = hashlib.sha256(np.ascontiguousarray(audio, "<i2").tobytes())
    digest.update(origin.encode())
    return digest.hexdigest()[:16]


def encode(clip: Clip) -> bytes:
    """A serialized tf.Example: the audio, its labels, and descriptors that TFDV can validate."""
    import tensorflow as tf

    feature: dict[str, tf.train.Feature] = {}

    def put(name: str, value: str | bytes | int | float) -> None:
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            feature[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        elif isinstance(value, int):
            feature[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        else:
            feature[name] = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))

    put("audio", np.ascontiguousarray(clip.audio, "<i2").tobytes())
    for field in dataclasses.fields(clip):
        value = getattr(clip, field.name)
        if field.name != "audio" and value is not None:
            put(field.name, value)
    spoken = clip.audio[clip.lead_in_samples :]
    for name, number in descriptors.describe(spoken, clip.sample_rate).items():
        put(name, float(number))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString(
        deterministic=True
    )


def decode(serialized: bytes) -> Clip:
    """The clip that `encode` wrote (descriptors are derived and not kept)."""
    import tensorflow as tf

    feature = tf.train.Example.FromString(serialized).features.feature
    values: dict = {"audio": np.frombuffer(feature["audio"].bytes_list.value[0], "<i2")}
    for field in dataclasses.fields(Clip):
        if field.name == "audio" or field.name not in feature:
            continue
        kind = feature[field.name].WhichOneof("kind")
        value = getattr(feature[field.name], kind).value[0]
        values[field.name] = value.decode() if kind == "bytes_list" else value
    return Clip(**values)
