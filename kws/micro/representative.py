"""Which training examples calibrate the int8 model: the same ones in whatever order they come."""

import hashlib
import heapq
from collections.abc import Iterable

import numpy as np

from kws.features.example import FeatureExample
from kws.features.params import FeatureParams

MICRO_FULL_SCALE = 666
"""26 x 25.6, which micro_speech and microWakeWord take for the greatest value of the micro frontend
with PCAN and log (at scale_shift 6): their programs quantize by it, whatever the file says. Up to
670 was seen; what is above saturates."""


def choose(examples: Iterable[FeatureExample], count: int, seed: int) -> list[FeatureExample]:
    """At most `count` examples, as evenly from all labels as there are, in a fixed order.

    Within a label those with the smallest hash of seed and clip are taken. The examples are passed
    once; at most `count` of each label are held.
    """
    heaps: dict[int, list[tuple[int, int, FeatureExample]]] = {}
    for example in examples:
        heap = heaps.setdefault(example.label_index, [])
        # The content tells copies of one clip apart.
        content = np.ascontiguousarray(example.features).tobytes()
        digest = hashlib.sha256(f"{seed}:{example.clip_id}:{example.augmentation}:".encode())
        digest.update(content)
        item = (-int.from_bytes(digest.digest()[:8], "big"), id(example), example)
        if len(heap) < count:
            heapq.heappush(heap, item)
        elif item[0] > heap[0][0]:
            heapq.heapreplace(heap, item)
    by_label = [[item[2] for item in sorted(heaps[label], reverse=True)] for label in sorted(heaps)]
    longest = max(map(len, by_label), default=0)
    in_turn = [rows[turn] for turn in range(longest) for rows in by_label if turn < len(rows)]
    return in_turn[:count]


def with_full_range(features: np.ndarray, params: FeatureParams) -> np.ndarray:
    """Features `[n, frames, channels]` that also hold the ends of the micro frontend's range.

    Two values of the first window are replaced, so that the input's scale covers whatever a device
    may hear while the ranges inside the network stay those of speech. Features of other frontends
    have no fixed range and are returned as they are.
    """
    if params.frontend != "micro" or not (params.enable_log and params.enable_pcan):
        return features
    if params.scale_shift != 6:
        return features
    covered = features.copy()
    covered[0, 0, 0] = 0
    covered[0, 0, 1] = max(MICRO_FULL_SCALE, int(features.max()))
    return covered
