"""Suspects: recordings that may have a copy, found in groups that never hold the whole corpus.

Of exact copies the digest is the group. Copies at another gain have nearly the same direction of
their sketches (`kws.audio.duplicates`), so a grid over the first coordinates of the direction tells
them apart: a recording lives in one cell, and asks in all cells that its copies can live in. Which
suspects are duplicates, and of what, is for `duplicates.distinct` to say.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from kws.audio.duplicates import reach, unit_sketches
from kws.audio.examine import Finding

CELL_WIDTH = 0.25
"""Of coordinates of unit vectors in 32 dimensions, whose standard deviation is 0.18."""
FEW_RECORDINGS = 50_000
"""So many are searched in one cell."""
_CELLS_A_DIMENSION = 2.4
"""By so much the fullest cell shrinks with each."""
MOST_DIMENSIONS = 8

Key = tuple[float, ...]
"""Duration in ms, and a cell."""


class Home(NamedTuple):
    """A recording in a cell: it lives there, or it only asks."""

    finding: Finding
    lives: bool


def dimensions(recordings: int) -> int:
    """Of the grid, so that no cell gets too full."""
    if recordings <= FEW_RECORDINGS:
        return 0
    wanted = math.log(recordings / FEW_RECORDINGS) / math.log(_CELLS_A_DIMENSION)
    return min(MOST_DIMENSIONS, math.ceil(wanted))


def homes(finding: Finding, size: int) -> Iterator[tuple[Key, Home]]:
    """The cells of a grid of `size` dimensions to which a recording with a sketch goes."""
    (radius,), (direction,) = reach([finding]), unit_sketches([finding])
    own = tuple(np.floor(direction[:size] / CELL_WIDTH))
    cells = {own}
    for sign in (1, -1):
        low = np.floor((sign * direction[:size] - radius) / CELL_WIDTH)
        high = np.floor((sign * direction[:size] + radius) / CELL_WIDTH)
        ranges = (np.arange(first, last + 1) for first, last in zip(low, high, strict=True))
        cells.update(itertools.product(*ranges))
    for cell in sorted(cells):
        key = (finding.duration_ms, *(float(place) for place in cell))
        yield key, Home(finding, cell == own)


def suspects(cell: Sequence[Home]) -> set[str]:
    """Names of the recordings in one cell that are as near as copies are."""
    from scipy.spatial import KDTree

    living = [home.finding for home in cell if home.lives]
    asking = [home.finding for home in cell]
    if not living or len(asking) < 2:
        return set()
    tree, directions, radius = KDTree(unit_sketches(living)), unit_sketches(asking), reach(asking)
    found = set()
    for sign in (1, -1):
        counts = tree.query_ball_point(sign * directions, radius, return_length=True)
        for i in np.flatnonzero(counts):
            for j in tree.query_ball_point(sign * directions[i], radius[i]):
                if living[j].name != asking[i].name:
                    found |= {living[j].name, asking[i].name}
    return found
