"""Duplicates: no content counts twice, none is on two sides of a split, none has two labels.

Two recordings have the same content if their samples are the same (digest) or if one is the other
at another gain, inverted or not: same number of samples, and sketches that differ in direction by
no more than rounding explains (`kws.audio.sketch`). Copies that were shifted, cut, resampled or
coded anew are not found.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kws.audio.examine import Finding
from kws.audio.layout import Word
from kws.audio.quarantine import Quarantined
from kws.audio.sketch import rounding_share
from kws.labels import label_of
from kws.splits import EVAL, TEST, TRAIN

BASE_DISTANCE = 0.045
"""Directions this far apart (length of the difference of unit vectors) are the same: the copy
may differ by 27 dB less than the signal, which allows for dither."""
ROUNDING_MARGIN = 8.0
"""Beyond it, this many times the power that rounding is expected to have: both copies may be
rounded, and a sketch shows the power of noise to a factor of two or three."""
MOST_DISTANCE = 0.245
"""Never farther, however much of a recording is rounding noise: strangers begin to look alike."""

_QUERIES = 10_000
"""Recordings whose neighbours are looked for at once."""
_KEPT_FIRST = {TEST: 0, EVAL: 1, TRAIN: 2}
"""Lists of official test and validation files stay whole; training has most to spare."""


class Distinct(NamedTuple):
    """Recordings of which no two have the same content.

    Attributes:
      words: the usable ones, by name.
      quarantine: the others. Reasons: `duplicate`; `duplicate_gain`; `conflicting_label`, which
        takes every copy, because nobody knows which label is right.
      leaks: how many of the duplicates have their content in another split.
    """

    words: list[Word]
    quarantine: list[Quarantined]
    leaks: int


def distinct(
    words: Sequence[Word], found: Mapping[str, Finding], keywords: Sequence[str]
) -> Distinct:
    """Keeps one recording of each content: of the test split, else eval, else the first by name.

    Args:
      words: in any order.
      found: the finding of each, by name; those with a reason are left out.
      keywords: other words share the label `_unknown_`, so that they cannot conflict.
    """
    usable = sorted((w for w in words if not found[w.name].reason), key=lambda word: word.name)
    groups = same_content([found[word.name] for word in usable])
    in_groups = {i for group in groups for i in group}
    kept = [word for i, word in enumerate(usable) if i not in in_groups]
    quarantine, leaks = [], 0
    for group in groups:
        copies = sorted((usable[i] for i in group), key=lambda w: (_KEPT_FIRST[w.split], w.name))
        labels = {label_of(word.word, keywords): word.name for word in reversed(copies)}
        if len(labels) > 1:
            names = " and ".join(f"{name} ({label})" for label, name in sorted(labels.items()))
            why = f"one content, two labels: {names}"
            quarantine += [Quarantined(word.name, "conflicting_label", why) for word in copies]
            continue
        kept.append(copies[0])
        for word in copies[1:]:
            reason, detail = _difference(found[word.name], found[copies[0].name])
            detail += f" {copies[0].name}"
            if word.split != copies[0].split:
                leaks += 1
                detail += f", which is in {copies[0].split}: in {word.split} it would leak"
            quarantine.append(Quarantined(word.name, reason, detail))
    return Distinct(sorted(kept, key=lambda word: word.name), quarantine, leaks)


def same_content(findings: Sequence[Finding]) -> list[list[int]]:
    """Groups of two or more findings of the same content, as indices, the first in front.

    Findings without a digest (long recordings, digital silence) are in no group.
    """
    parents = list(range(len(findings)))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    def join(i: int, j: int) -> None:
        i, j = root(i), root(j)
        parents[max(i, j)] = min(i, j)

    first: dict[bytes, int] = {}
    for i, finding in enumerate(findings):
        if finding.digest:
            join(i, first.setdefault(finding.digest, i))
    by_length: dict[float, list[int]] = defaultdict(list)
    for i in first.values():  # One of each digest: the rest is joined to it already.
        if findings[i].sketch:
            by_length[findings[i].duration_ms].append(i)
    for members in by_length.values():
        for a, b in _close([findings[i] for i in members]) if len(members) > 1 else ():
            join(members[a], members[b])
    groups: dict[int, list[int]] = {}
    for i in range(len(findings)):
        if root(i) != i:
            groups.setdefault(root(i), [root(i)]).append(i)
    return list(groups.values())


def _close(findings: Sequence[Finding]) -> Iterator[tuple[int, int]]:
    """Pairs of recordings of one length whose sketches have one direction, or opposite ones.

    A search tree with a radius of its own for each recording: how far its copies can be depends on
    how quiet it is, and few are so quiet that the search is slow.
    """
    from scipy.spatial import KDTree

    radius, sketches = reach(findings), unit_sketches(findings)
    tree = KDTree(sketches)
    for first in range(0, len(findings), _QUERIES):
        few = slice(first, first + _QUERIES)
        for sign, itself in ((1, 1), (-1, 0)):
            near = tree.query_ball_point(sign * sketches[few], radius[few], return_length=True)
            some = first + np.flatnonzero(near > itself)
            neighbours = tree.query_ball_point(sign * sketches[some], radius[some])
            for i, found in zip(some, neighbours, strict=True):
                yield from ((int(i), j) for j in found)


def reach(findings: Sequence[Finding]) -> np.ndarray:
    """float64 `[n]`: how far from each the direction of a copy can be."""
    share = rounding_share(_sketches(findings))
    return np.minimum(np.sqrt(BASE_DISTANCE**2 + ROUNDING_MARGIN * share), MOST_DISTANCE)


def unit_sketches(findings: Sequence[Finding]) -> np.ndarray:
    """float64 `[n, 32]`: the directions."""
    sketches = _sketches(findings)
    return sketches / np.linalg.norm(sketches, axis=1, keepdims=True)


def _sketches(findings: Sequence[Finding]) -> np.ndarray:
    """float64 `[n, 32]`."""
    joined = b"".join(finding.sketch for finding in findings)
    return np.frombuffer(joined, np.float32).reshape(len(findings), -1).astype(np.float64)


def _difference(copy: Finding, kept: Finding) -> tuple[str, str]:
    if copy.digest == kept.digest:
        return "duplicate", "same content as"
    levels = np.linalg.norm(_sketches([copy, kept]), axis=1)
    gain_db = 20 * np.log10(levels[0] / levels[1])
    return "duplicate_gain", f"same content, {gain_db:+.1f} dB, as"
