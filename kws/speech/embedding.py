"""Audio to embeddings: whole recordings of any length, batches of clips, and live streams."""

import atexit
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from kws.features.frontend import check_audio
from kws.features.live import LiveFrontend
from kws.features.speech_mel import FLOOR_DB, PARAMS, SpeechMelFrontend
from kws.speech.network import (
    EMBEDDING_FRAMES,
    EMBEDDING_HOP_FRAMES,
    EMBEDDING_SIZE,
    MEL_CHANNELS,
    embedding_model,
    window_count,
)

_LEAST_DB = -100.0
_RANGE_DB = 80.0
_FRAMES_AT_A_TIME = 1600
"""Bounds the memory (some 40 MB), and keeps the first layers' activations in the CPU's cache."""


def mel_frames(audio: np.ndarray, floor_db: float | None = FLOOR_DB) -> np.ndarray:
    """The log-mel frames that the network is fed.

    Args:
      audio: int16 `[samples]` at 16 kHz.
      floor_db: the least value of a channel, in dB (see `kws.features.speech_mel`); None: 80 dB
        below the greatest of all this audio, as the network was trained.

    Returns:
      float32 `[frames, 32]`, a frame every 10 ms of the 32 ms from there on; none of audio that is
      shorter than 512 samples.

    Raises:
      ValueError: audio is not int16 of one dimension.
    """
    check_audio(audio, ndim=1)
    return _clip_frames(audio[np.newaxis], floor_db)[0]


def embed(audio: np.ndarray, floor_db: float | None = FLOOR_DB) -> np.ndarray:
    """Embeddings of a recording, of hours if need be.

    It takes some 46 MB an hour for the mel frames and 17 MB for what is returned.

    Args:
      audio: int16 `[samples]` at 16 kHz.
      floor_db: see `mel_frames`.

    Returns:
      float32 `[n, 96]`: row i is of the samples from `i * 1280` to `i * 1280 + 12512`; none of
      audio that is shorter.

    Raises:
      ValueError: audio is not int16 of one dimension.
    """
    return embed_frames(mel_frames(audio, floor_db))


def embed_clips(audio: np.ndarray, floor_db: float | None = FLOOR_DB) -> np.ndarray:
    """`embed` of each row.

    Args:
      audio: int16 `[clips, samples]` at 16 kHz.
      floor_db: see `mel_frames`; None: of each clip its own.

    Returns:
      float32 `[clips, n, 96]`.

    Raises:
      ValueError: audio is not int16 of two dimensions.
    """
    check_audio(audio, ndim=2)
    count = embedding_count(audio.shape[1])
    out = np.empty((len(audio), count, EMBEDDING_SIZE), np.float32)
    if not count:
        return out
    frames = EMBEDDING_FRAMES + (count - 1) * EMBEDDING_HOP_FRAMES
    at_a_time = max(1, _FRAMES_AT_A_TIME // frames)
    for start in range(0, len(audio), at_a_time):
        clips = audio[start : start + at_a_time]
        mel = _clip_frames(clips, floor_db)
        if len(clips) == 1:
            out[start] = embed_frames(mel[0])
        else:
            out[start : start + at_a_time] = _network()(mel[..., np.newaxis]).numpy()
    return out


def embed_frames(mel: np.ndarray) -> np.ndarray:
    """Embeddings float32 `[n, 96]` of mel frames `[frames, 32]`, see `mel_frames`."""
    count = window_count(len(mel))
    out = np.empty((count, EMBEDDING_SIZE), np.float32)
    at_a_time = 1 + (_FRAMES_AT_A_TIME - EMBEDDING_FRAMES) // EMBEDDING_HOP_FRAMES
    for start in range(0, count, at_a_time):
        stop = min(start + at_a_time, count)
        first = start * EMBEDDING_HOP_FRAMES
        last = (stop - 1) * EMBEDDING_HOP_FRAMES + EMBEDDING_FRAMES
        out[start:stop] = _network()(mel[np.newaxis, first:last, :, np.newaxis]).numpy()[0]
    return out


def embedding_count(num_samples: int) -> int:
    """Embeddings that `embed` gives of so many samples."""
    return window_count(PARAMS.frame_count(num_samples))


class StreamingEmbedder:
    """Embeds one stream as its audio comes in: the numbers that `embed` gives of all of it.

    The last 68 mel frames are kept, and the network runs over them and the new ones: in blocks of
    80 ms that is 42 million multiply-adds each, ten times what a form that keeps its activations
    would need (see `kws.models.speech_embedding` for that one).
    """

    def __init__(self, floor_db: float = FLOOR_DB):
        """Begins a stream.

        Args:
          floor_db: see `mel_frames`. A stream cannot know its loudest value.
        """
        self._frontend = LiveFrontend(PARAMS.model_copy(update={"decibel_floor": floor_db}))
        self._mel = np.empty((0, MEL_CHANNELS), np.float32)

    def feed(self, audio: np.ndarray) -> np.ndarray:
        """Takes the next samples, any number of them.

        Args:
          audio: int16 `[samples]` at 16 kHz.

        Returns:
          float32 `[k, 96]`: the embeddings that these samples complete, one every 80 ms; the first
          of a stream after 782 ms.

        Raises:
          ValueError: audio is not int16 of one dimension.
        """
        self._mel = np.concatenate([self._mel, self._frontend.feed(audio)])
        embeddings = embed_frames(self._mel)
        self._mel = self._mel[len(embeddings) * EMBEDDING_HOP_FRAMES :].copy()
        return embeddings


def _clip_frames(audio: np.ndarray, floor_db: float | None) -> np.ndarray:
    """float32 `[clips, frames, 32]` of `[clips, samples]`."""
    mel = _frontend(_LEAST_DB if floor_db is None else floor_db).compute_batch(audio)
    if floor_db is None and mel.size:
        loudest = mel.max(axis=(1, 2), keepdims=True)
        np.maximum(mel, loudest - np.float32(_RANGE_DB / 10), out=mel)
    return mel


@functools.lru_cache(maxsize=8)
def _frontend(floor_db: float) -> SpeechMelFrontend:
    return SpeechMelFrontend(PARAMS.model_copy(update={"decibel_floor": floor_db}))


@functools.cache
def _network() -> Callable[[np.ndarray], Any]:
    """float32 `[batch, frames, 32, 1]` to `[batch, n, 96]`, as a TensorFlow graph."""
    import tensorflow as tf

    model = embedding_model()
    # TensorFlow complains of graphs that outlive its own modules.
    atexit.register(_network.cache_clear)
    signature = [tf.TensorSpec([None, None, MEL_CHANNELS, 1], tf.float32)]
    return tf.function(
        lambda mel: model(mel, training=False), input_signature=signature, autograph=False
    )
