"""Piece: a stretch of a recording on disk."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Piece:
    """A stretch of a recording.

    Attributes:
      path: of the recording.
      start_ms, stop_ms: in the recording.
      source: the collection that it is from; "" where unknown.
      synthesized: whether a text-to-speech voice talks in it.
    """

    path: str
    start_ms: float
    stop_ms: float
    source: str = ""
    synthesized: bool = False

    @property
    def duration_ms(self) -> float:
        return self.stop_ms - self.start_ms
