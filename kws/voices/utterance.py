"""One clip of the corpus to be."""

import dataclasses
from typing import Literal

from kws.splits import Split
from kws.voices.engine import Request


@dataclasses.dataclass(frozen=True, kw_only=True)
class Utterance:
    """A word, or a sentence without any keyword: our own, or a generated one, by the bulk voice
    ("bulk") or by Kokoro's ("generated").

    Attributes:
      word: what is said.
      speaker: the voice's id, `<engine>-<voice>`.
      take: counts from 0 a word and speaker.
      request: for the engine.
    """

    split: Split
    kind: Literal["word", "sentence", "bulk", "generated"]
    word: str
    speaker: str
    take: int
    request: Request
