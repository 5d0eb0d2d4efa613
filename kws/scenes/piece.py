"""Piece: a stretch of a recording on disk."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Piece:
    """A stretch of a recording.

    Attributes:
      path: of the recording.
      start_ms, stop_ms: in the recording.
    """

    path: str
    start_ms: float
    stop_ms: float

    @property
    def duration_ms(self) -> float:
        return self.stop_ms - self.start_ms
