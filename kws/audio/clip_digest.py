"""A hash of many clips, whatever their order: the sum of their SHA-256 (mod 2^256).

An additive multiset hash (Clarke, Devadas, van Dijk, Gassend and Suh: Incremental Multiset Hash
Functions, ASIACRYPT 2003, MSet-Add-Hash): workers add up what they see and the sums are added, so
that no list of all clips is needed anywhere. It tells another set of clips by accident or
carelessness; it is no seal against somebody who may choose millions of clips to collide.
"""

import dataclasses
import hashlib
from collections import Counter
from typing import Any, NamedTuple

DIGEST_FILE = "clips.json"
_MODULUS = 1 << 256


class ClipName(NamedTuple):
    """What a clip is called in lists; its sound is in `clip_id`."""

    clip_id: str
    word: str
    label: str
    speaker: str
    source: str


@dataclasses.dataclass
class ClipDigest:
    """Of the clips of a split.

    Attributes:
      total: the sum.
      counts: clips by source and label.
    """

    total: int = 0
    counts: Counter[tuple[str, str]] = dataclasses.field(default_factory=Counter)

    def add(self, clip: ClipName) -> None:
        """One clip more: its content, what it is said to be, and by whom."""
        number = hashlib.sha256("\0".join(clip).encode()).digest()
        self.total = (self.total + int.from_bytes(number, "big")) % _MODULUS
        self.counts[clip.source, clip.label] += 1

    def merge(self, other: "ClipDigest") -> None:
        """All of another's clips."""
        self.total = (self.total + other.total) % _MODULUS
        self.counts.update(other.counts)

    @property
    def clips(self) -> int:
        return sum(self.counts.values())

    def to_dict(self) -> dict[str, Any]:
        """For `clips.json`: sources and labels in order of their names."""
        sources: dict[str, dict[str, int]] = {}
        for (source, label), count in sorted(self.counts.items()):
            sources.setdefault(source, {})[label] = count
        return {"clips": self.clips, "digest": f"{self.total:064x}", "sources": sources}


def name_of(serialized: bytes) -> ClipName:
    """Of an audio example, without a look at its sound."""
    import tensorflow as tf

    feature = tf.train.Example.FromString(serialized).features.feature
    return ClipName(*(feature[name].bytes_list.value[0].decode() for name in ClipName._fields))
