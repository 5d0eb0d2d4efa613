"""Where a word still fits: random places that overlap nothing laid before, a bounded number."""

from collections.abc import Iterable, Sequence

import numpy as np

Segment = tuple[int, int]
"""Start and end in ms."""


def is_overlapping(segment: Segment, previous: Iterable[Segment]) -> bool:
    """True if a segment meets any of those before it; to share an endpoint is to overlap.

    previous      |-----|
    overlapping |--|   |---|
    overlapping         |-----|
    not                  |-----|
    """
    start_ms, end_ms = segment
    return any(start_ms <= end and end_ms >= start for start, end in previous)


def find_place(
    length_ms: int,
    duration_ms: int,
    previous: Sequence[Segment],
    tries: int,
    rng: np.random.Generator,
) -> Segment | None:
    """Draws places for a segment, evenly over the scene, until one is free.

    Args:
      length_ms: of the segment.
      duration_ms: of the scene; the segment lies wholly inside.
      previous: what has its place already.
      tries: how often at most.
      rng: draws the places.

    Returns:
      The place, or None: none of the tries was free, or the segment is longer than the scene.
    """
    if length_ms > duration_ms:
        return None
    for _ in range(tries):
        start_ms = int(rng.integers(duration_ms - length_ms + 1))
        if not is_overlapping((start_ms, start_ms + length_ms), previous):
            return start_ms, start_ms + length_ms
    return None
