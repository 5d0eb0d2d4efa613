"""What a text-to-speech engine is: a request goes in, float audio comes out."""

import dataclasses
import hashlib
import json
from typing import Protocol

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """Everything that decides how an utterance sounds; equal requests give equal audio.

    Attributes:
      engine: name of the engine, e.g. "kokoro".
      text: what is said, for people; the engine reads `phonemes`.
      phonemes: of the text, in the alphabet that the engines share (see `pronounce`).
      voice: a voice of the engine; for Kokoro also a two-voice mix (see `styles`).
      speed: 1 is the voice's own pace, 2 twice as fast.
      seed: of whatever the engine draws (hibari's noise; Kokoro draws nothing).
      f0_scale: factor on the fundamental frequency (hibari only).
      formant_scale: factor on the formants' frequencies (hibari only).
      max_ms: if the trimmed clip is longer than this, it is said faster; 0: as long as it gets.
    """

    engine: str
    text: str
    phonemes: str
    voice: str
    speed: float = 1.0
    seed: int = 0
    f0_scale: float = 1.0
    formant_scale: float = 1.0
    max_ms: int = 0

    def content_hash(self, engine_version: str) -> str:
        """64 hex digits, the same on every machine: SHA-256 of the content and the version."""
        content = json.dumps([engine_version, dataclasses.asdict(self)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


class Engine(Protocol):
    """A loaded text-to-speech model. Uses one thread: parallelism is by processes."""

    name: str
    sample_rate: int
    """Hz of what `say` returns."""

    def say(self, request: Request) -> np.ndarray:
        """The utterance as float32 `[samples]` in [-1, 1), silence around it included."""
        ...
