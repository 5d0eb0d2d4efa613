"""Duplicates: no content counts twice, none is on two sides of a split, none has two labels.

Two recordings have the same content if their samples are the same (digest) or if one is the other
at another gain, inverted or not: same number of samples, and fingerprints that differ in direction
by no more than rounding explains (`kws.corpus.audio_fingerprint`). Copies that were shifted,
trimmed, resampled or re-encoded are not found.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from kws.corpus.audio_fingerprint import rounding_share
from kws.corpus.clip_table import ClipTable
from kws.corpus.quarantine import Quarantined
from kws.labels import label_of
from kws.splits import EVAL, SPLITS, TEST, TRAIN

BASE_DISTANCE = 0.045
"""Directions this far apart (length of the difference of unit vectors) are the same: the copy
may differ by 27 dB less than the signal, which allows for dither."""
ROUNDING_MARGIN = 8.0
"""Beyond it, this many times the power that rounding is expected to have: both copies may be
rounded, and a fingerprint shows the power of noise to a factor of two or three."""
MOST_DISTANCE = 0.245
"""Never farther, however much of a recording is rounding noise: different recordings begin to look
alike."""

_BLOCK_ROWS = 10_000
"""Recordings whose neighbours are searched for at once."""
_KEPT_FIRST = {TEST: 0, EVAL: 1, TRAIN: 2}
"""Lists of official test and validation files stay whole; training has most to spare."""


@dataclasses.dataclass(frozen=True, eq=False)
class Distinct:
    """Which clips to keep so that no two have the same content.

    Attributes:
      kept: bool `[rows]` of the table.
      dropped: row -> why it is not kept. Reasons: `duplicate`; `duplicate_gain`;
        `conflicting_label`, which takes every copy, because nobody knows which label is right.
      leaks: how many of the duplicates have their content in another split.
    """

    kept: np.ndarray
    dropped: dict[int, Quarantined]
    leaks: int


def find_distinct(clips: ClipTable, keywords: Sequence[str]) -> Distinct:
    """Keeps one clip of each content: of the test split, else eval, else the first by name.

    Args:
      clips: the usable ones.
      keywords: other words share the label `_unknown_`, so that they cannot conflict.
    """
    dropped: dict[int, Quarantined] = {}
    leaks = 0
    for group in same_content(clips):
        names, words = clips.names_of_rows(group), clips.words.of_rows(group)
        splits = [SPLITS[code] for code in clips.splits[group]]
        # The rows of a group are in the order of names, which a stable sort keeps.
        first, *others = sorted(range(len(group)), key=lambda i: _KEPT_FIRST[splits[i]])
        labels = {label_of(words[i], keywords): names[i] for i in reversed([first, *others])}
        if len(labels) > 1:
            each = " and ".join(f"{name} ({label})" for label, name in sorted(labels.items()))
            why = f"one content, two labels: {each}"
            for row, name in zip(group, names, strict=True):
                dropped[int(row)] = Quarantined(name, "conflicting_label", why)
            continue
        for i in others:
            reason, detail = _difference(clips, group[i], group[first])
            detail += f" {names[first]}"
            if splits[i] != splits[first]:
                leaks += 1
                detail += f", which is in {splits[first]}: in {splits[i]} it would leak"
            dropped[int(group[i])] = Quarantined(names[i], reason, detail)
    kept = np.ones(len(clips), bool)
    kept[list(dropped)] = False
    return Distinct(kept, dropped, leaks)


def same_content(clips: ClipTable) -> list[np.ndarray]:
    """Groups of two or more clips of the same content: the rows of each, in ascending order.

    Digital silence is in no group.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(clips)
    audible = np.flatnonzero(clips.digests >= 0)
    _, first, inverse = np.unique(clips.digests[audible], return_index=True, return_inverse=True)
    # One clip of each digest is compared further; the others are joined to it.
    unique = audible[first]
    copies = audible != unique[inverse]
    pairs = [np.stack([audible, unique[inverse]], axis=1)[copies]]
    unique = unique[clips.fingerprints.any(axis=1)[unique]]
    pairs += [unique[close] for close in _close_of_each_length(clips, unique)]
    rows, columns = np.concatenate(pairs).T
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), (count, count))
    return _groups(connected_components(graph, directed=False)[1])


def _groups(keys: np.ndarray) -> list[np.ndarray]:
    """The indices of every key that is there twice or more, in ascending order."""
    _, key_of, counts = np.unique(keys, return_inverse=True, return_counts=True)
    repeated = np.flatnonzero(counts[key_of] > 1)
    repeated = repeated[np.argsort(key_of[repeated], kind="stable")]
    if not len(repeated):
        return []
    return np.split(repeated, np.flatnonzero(np.diff(key_of[repeated])) + 1)


def _close_of_each_length(clips: ClipTable, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs of indices of `rows`: of clips of one length with about the same direction."""
    for members in _groups(clips.durations_ms[rows]):
        yield members[_close(clips.fingerprints, rows[members])]


def _close(fingerprints: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """int `[pairs, 2]`: indices of rows whose fingerprints have one direction, or opposite ones.

    A search tree with a radius of its own for each recording: how far its copies can be depends on
    how quiet it is, and few are so quiet that the search is slow.
    """
    from scipy.spatial import KDTree

    blocks = [slice(first, first + _BLOCK_ROWS) for first in range(0, len(rows), _BLOCK_ROWS)]
    directions = np.empty((len(rows), fingerprints.shape[1]))
    radius = np.empty(len(rows))
    for block in blocks:
        some = fingerprints[rows[block]].astype(np.float64)
        directions[block] = some / np.linalg.norm(some, axis=1, keepdims=True)
        radius[block] = _search_radius(some)
    tree = KDTree(directions)
    pairs: list[tuple[int, int]] = []
    for block in blocks:
        for sign, itself in ((1, 1), (-1, 0)):
            near = tree.query_ball_point(
                sign * directions[block], radius[block], return_length=True
            )
            found = block.start + np.flatnonzero(near > itself)
            neighbours = tree.query_ball_point(sign * directions[found], radius[found])
            for i, close in zip(found, neighbours, strict=True):
                pairs += ((int(i), j) for j in close)
    return np.array(pairs, np.int64).reshape(-1, 2)


def _search_radius(fingerprints: np.ndarray) -> np.ndarray:
    """float64 `[n]`: how far from each the direction of a copy can be."""
    share = rounding_share(fingerprints)
    return np.minimum(np.sqrt(BASE_DISTANCE**2 + ROUNDING_MARGIN * share), MOST_DISTANCE)


def _difference(clips: ClipTable, copy: int, kept: int) -> tuple[str, str]:
    if clips.digests[copy] == clips.digests[kept]:
        return "duplicate", "same content as"
    levels = np.linalg.norm(clips.fingerprints[[copy, kept]].astype(np.float64), axis=1)
    gain_db = 20 * np.log10(levels[0] / levels[1])
    return "duplicate_gain", f"same content, {gain_db:+.1f} dB, as"
