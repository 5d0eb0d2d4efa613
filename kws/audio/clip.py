"""Clip: one recording with its label and descriptors, and its tf.Example form.

Seven descriptors summarize a recording so that unsound data shows before it is learned from.
Levels are relative to full scale (dBFS: a constant at 32768 is 0 dBFS, a full-scale sine -3 dBFS)
and never below `FLOOR_DBFS`, so that every descriptor of every recording is finite.
"""

import dataclasses
import hashlib
from typing import Literal

import numpy as np

FLOOR_DBFS = -100.0
"""What digital silence measures; the least step of 16-bit audio is at -90.3 dBFS."""
FULL_SCALE = 32768.0
FRAME_MS = 10
ACTIVE_BELOW_LOUDEST_DB = 30.0
"""A frame is active if it is at most this far below the loudest frame, ..."""
ACTIVE_FLOOR_DBFS = -70.0
"""... and above this level."""


def to_dbfs(amplitude: float | np.ndarray) -> np.ndarray:
    """Amplitude on the scale of int16 to dBFS, not below `FLOOR_DBFS`."""
    floor = FULL_SCALE * 10 ** (FLOOR_DBFS / 20)
    return 20 * np.log10(np.maximum(amplitude, floor) / FULL_SCALE)


def energy(samples: np.ndarray) -> float:
    """Sum of the squares of float64 `[samples]`, exact for whole numbers in the range of int16.

    Not `np.dot`: above 10,000 samples BLAS divides it among threads, and to wait for the other
    thread takes 5 ms where the cores are busy; the sum of fractions would depend on their number.
    """
    return float(np.einsum("i,i->", samples, samples))


def describe(audio: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Measures a recording.

    Args:
      audio: int16 `[samples]`, may be empty.
      sample_rate: Hz.

    Returns:
      duration_ms: length.
      rms_dbfs: level of the whole, DC included.
      peak_dbfs: largest magnitude.
      clipped_ratio: share of samples at the ends of the int16 range (magnitude of 32767 or more).
      dc_offset: mean, full scale = 1.
      silence_ratio: share of 10 ms frames that are not active (constants above); 1 if all are.
      speech_offset_ms: where the run of active frames begins that holds the loudest frame; 0 if
        no frame is active.
    """
    samples = audio.size
    measured = {
        "duration_ms": 1000.0 * samples / sample_rate,
        "rms_dbfs": FLOOR_DBFS,
        "peak_dbfs": FLOOR_DBFS,
        "clipped_ratio": 0.0,
        "dc_offset": 0.0,
        "silence_ratio": 1.0,
        "speech_offset_ms": 0.0,
    }
    if not samples:
        return measured
    x = audio.astype(np.float64)
    magnitude = np.abs(x)
    measured["rms_dbfs"] = float(to_dbfs(np.sqrt(energy(x) / samples)))
    measured["peak_dbfs"] = float(to_dbfs(magnitude.max()))
    measured["clipped_ratio"] = float(np.count_nonzero(magnitude >= 32767) / samples)
    measured["dc_offset"] = float(x.mean(dtype=np.float64) / FULL_SCALE)

    frame = min(samples, max(1, sample_rate * FRAME_MS // 1000))
    frames = x[: samples // frame * frame].reshape(-1, frame)
    level = to_dbfs(np.sqrt(np.einsum("ij,ij->i", frames, frames) / frame))
    loudest = int(level.argmax())
    active = level > max(level[loudest] - ACTIVE_BELOW_LOUDEST_DB, ACTIVE_FLOOR_DBFS)
    measured["silence_ratio"] = float(1 - active.mean())
    if active[loudest]:
        quiet_before = np.flatnonzero(~active[:loudest])
        start = quiet_before[-1] + 1 if quiet_before.size else 0
        measured["speech_offset_ms"] = 1000.0 * start * frame / sample_rate
    return measured


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
      original_rate: sample rate of the file, Hz.
      original_channels: channels of the file.
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
    for name, number in describe(spoken, clip.sample_rate).items():
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
