"""Digests of folders and of sets of clips.

- by content: what is in the files of a folder, whatever their times and place;
- by names, sizes and times: whether the files of a folder have changed;
- of many clips in any order: the sum of their SHA-256 (mod 2^256), an additive multiset hash
  (Clarke, Devadas, van Dijk, Gassend and Suh: Incremental Multiset Hash Functions, ASIACRYPT
  2003, MSet-Add-Hash). Workers add up what they see and the sums are added, so no list of all
  clips is needed. It detects accidental changes, not an attacker who can choose millions of clips
  to collide.
"""

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

_BLOCK = 1 << 20


def content_hash(folder: Path, names: Iterable[str]) -> str:
    """32 hex digits over names and bytes of files in a folder; every file is read.

    Args:
      folder: what the names are relative to.
      names: of the files; one that is not there is part of the hash too.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(names):
        digest.update(f"{name}\0{_of_file(folder / name)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _of_file(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return "missing"
    return digest.hexdigest()


def fingerprint(folder: str | os.PathLike[str], names: Iterable[str]) -> str:
    """16 hex digits over name, size and modification time (ns) of files in a folder.

    Args:
      folder: what the names are relative to.
      names: of the files; one that is not there is part of the fingerprint too.
    """
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(names):
        try:
            state = os.stat(os.path.join(folder, name))
            size, time_ns = state.st_size, state.st_mtime_ns
        except OSError:
            size, time_ns = -1, 0
        digest.update(f"{name}\0{size}\0{time_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


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
