"""When each word is said: gaps drawn at random, never an overlap, sections cut within gaps."""

import dataclasses
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

import numpy as np

SECTION_MS = 30_000
"""A background lasts about so long; a section ends in the first gap after."""
CROSSFADE_MS = 500


class Timed(Protocol):
    """Something that takes time."""

    @property
    def duration_ms(self) -> int: ...


T = TypeVar("T", bound=Timed)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section(Generic[T]):
    """A part of a stream that is heard over one background.

    Attributes:
      start_ms, stop_ms: in the stream; a section begins where the one before stops.
      fade_in_ms, fade_out_ms: crossfades with its neighbours, centred on start and stop; they lie
        within gaps, clear of any word.
      words: (start in the stream in ms, what is said), in order.
    """

    start_ms: int
    stop_ms: int
    fade_in_ms: int
    fade_out_ms: int
    words: tuple[tuple[int, T], ...]


def schedule(
    words: Iterator[T],
    gap_s: tuple[float, float],
    minimum_ms: int,
    clearance_ms: int,
    rng: np.random.Generator,
) -> list[Section[T]]:
    """Lays words one after the other until the stream is long enough.

    The stream begins and ends with a gap. Each gap is drawn evenly from `gap_s`, so the stream is
    longer than `minimum_ms` by at most one word and its gaps.

    Args:
      words: endless; taken as needed.
      gap_s: range of the pause between the end of a word and the start of the next, seconds.
      minimum_ms: length to reach.
      clearance_ms: margin about a word that a crossfade stays out of.
      rng: draws the gaps.

    Returns:
      Sections that join without holes; the last one stops at the stream's end.
    """
    sections: list[Section[T]] = []
    said: list[tuple[int, T]] = []
    start_ms, fade_in_ms = 0, 0
    now_ms = _gap_ms(gap_s, rng)
    while True:
        word = next(words)
        said.append((now_ms, word))
        word_end_ms = now_ms + word.duration_ms
        gap_ms = _gap_ms(gap_s, rng)
        now_ms = word_end_ms + gap_ms
        finished = now_ms >= minimum_ms
        middle_ms = now_ms if finished else word_end_ms + gap_ms // 2
        if not finished and middle_ms - start_ms < SECTION_MS:
            continue
        # An even number: one half lies on either side of the join.
        fade_ms = 0 if finished else max(0, min(CROSSFADE_MS, gap_ms - 2 * clearance_ms)) // 2 * 2
        sections.append(
            Section(
                start_ms=start_ms,
                stop_ms=middle_ms,
                fade_in_ms=fade_in_ms,
                fade_out_ms=fade_ms,
                words=tuple(said),
            )
        )
        if finished:
            return sections
        start_ms, fade_in_ms, said = middle_ms, fade_ms, []


def _gap_ms(gap_s: tuple[float, float], rng: np.random.Generator) -> int:
    return round(1000 * rng.uniform(*gap_s))
