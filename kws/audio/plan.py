"""Plan: from what was found in every file to the clips of every split, exactly and repeatably.

The pieces of it are here; `components.audio_example_gen.plan` puts them together on many workers.
All choices hang on hashes of the seed and of names, never on the order of files or on workers
(`kws.audio.choice`); window number i of a split has its own random generator (`kws.audio.windows`).
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kws.audio.choice import PerWord, keyword_clips, share, unused
from kws.audio.cut import Cut
from kws.audio.duplicates import Distinct
from kws.audio.examine import Finding
from kws.audio.layout import Layout
from kws.audio.params import IngestParams
from kws.audio.quarantine import Quarantined
from kws.audio.splits import Part
from kws.audio.windows import negative_cuts, rank, silence_cuts, usable_parts
from kws.splits import SPLITS, TRAIN, Split

WINDOWS_AT_ONCE = 1000


@dataclasses.dataclass(frozen=True)
class Overview:
    """What there is in a corpus, before clips are chosen.

    Attributes:
      quarantine: every file that is not used because something is wrong with it, by name.
      leaks: how many of the quarantined have their content in another split.
      files: how many files were judged (used, unused and quarantined).
      words: usable distinct clips of each word in each split, used or not.
      unused: `not_sampled` (other words beyond their share) and `rare_word` (clips of rare words
        outside test), for each split.
      backgrounds, negatives: the usable parts of each split.
      rooms: impulse responses of each split.
      left_out: how many recordings of a public corpus hold a keyword in their transcript.
    """

    quarantine: list[Quarantined]
    leaks: int
    files: int
    words: dict[str, dict[Split, int]]
    unused: dict[str, dict[Split, int]]
    backgrounds: dict[Split, list[Part]]
    negatives: dict[Split, list[Part]]
    rooms: dict[Split, list[Part]] = dataclasses.field(default_factory=dict)
    left_out: int = 0


def overview(
    rest: Layout,
    long: Mapping[str, Finding],
    bad: Iterable[Quarantined],
    copies: Distinct,
    per_word: PerWord,
    files: int,
    params: IngestParams,
) -> Overview:
    """Puts the facts together.

    Args:
      rest: the layout; of its words nothing is read.
      long: findings of the long recordings, by name.
      bad: files that cannot be used by themselves.
      copies: what was decided about duplicates.
      per_word: see `PerWord`.
      files: how many were examined.
      params: clip duration, shares.
    """
    misplaced = [Quarantined(name, *why) for name, why in rest.misplaced.items()]
    counts: dict[str, dict[Split, int]] = {
        word: dict.fromkeys(SPLITS, 0) for word in sorted({word for word, _ in per_word})
    }
    for (word, split), clips in per_word.items():
        counts[word][split] = clips
    return Overview(
        quarantine=sorted([*misplaced, *bad, *copies.quarantine]),
        leaks=copies.leaks,
        files=files + len(misplaced),
        words=counts,
        unused=unused(per_word, params),
        backgrounds={s: usable_parts(p, long, params) for s, p in rest.backgrounds.items()},
        negatives={s: usable_parts(p, long, params) for s, p in rest.negatives.items()},
        rooms=rest.rooms,
        left_out=len(rest.left_out),
    )


class Lost(NamedTuple):
    """A clip that could not be made after all: its recording had been read before."""

    cut: Cut
    reason: str
    detail: str


def without_lost(found: Overview, tally: "Tally", lost: Sequence[Lost]) -> tuple[Overview, "Tally"]:
    """The same without the clips that were lost: their recordings go to the quarantine."""
    gone = {one.cut.name: Quarantined(one.cut.name, one.reason, one.detail) for one in lost}
    words = {word: dict(counts) for word, counts in found.words.items()}
    left = Tally().merge(tally)
    for one in lost:
        left.clips[one.cut.split, one.cut.label] -= 1
        left.sources[one.cut.source, one.cut.split] -= 1
        if one.cut.word in words:
            words[one.cut.word][one.cut.split] -= 1

    def kept(parts: Mapping[Split, Sequence[Part]]) -> dict[Split, list[Part]]:
        return {split: [p for p in some if p.path not in gone] for split, some in parts.items()}

    overview = dataclasses.replace(
        found,
        quarantine=sorted([*found.quarantine, *gone.values()]),
        words=words,
        backgrounds=kept(found.backgrounds),
        negatives=kept(found.negatives),
    )
    return overview, left


Windows = tuple[str, Split, range]
"""`silence` or `negatives`, the split, and the numbers of the windows."""


def windows(per_word: PerWord, params: IngestParams) -> Iterator[Windows]:
    """The clips that are cut from long recordings, some at a time."""
    keywords = keyword_clips(per_word, params)
    wanted = [("silence", split, params.silence_percentage) for split in SPLITS]
    wanted.append(("negatives", TRAIN, params.negatives_percentage))
    for kind, split, percentage in wanted:
        count = share(percentage, keywords[split])
        for first in range(0, count, WINDOWS_AT_ONCE):
            yield kind, split, range(first, min(count, first + WINDOWS_AT_ONCE))


def window_cuts(
    some: Windows, found: Overview, long: Mapping[str, Finding], params: IngestParams
) -> list[Cut]:
    """What to cut for some windows."""
    kind, split, numbers = some
    if kind == "silence":
        return silence_cuts(split, numbers, found.backgrounds[split], long, params)
    return negative_cuts(numbers, found.negatives[split], long, params)


def mixing(cut: Cut, params: IngestParams) -> int:
    """Cuts in this order are well mixed, whatever they were cut from."""
    return rank(params.seed, f"{cut.name}{cut.starts_ms}{cut.seed}")


@dataclasses.dataclass
class Tally:
    """Counts of clips.

    Attributes:
      clips: of (split, label).
      sources: of (source, split).
      speakers: of each split, those who say a word.
    """

    clips: Counter[tuple[Split, str]] = dataclasses.field(default_factory=Counter)
    sources: Counter[tuple[str, Split]] = dataclasses.field(default_factory=Counter)
    speakers: Counter[Split] = dataclasses.field(default_factory=Counter)

    def add(self, cuts: Sequence[Cut]) -> "Tally":
        """Adds clips, but not their speakers, who may have been counted before."""
        self.clips.update((cut.split, cut.label) for cut in cuts)
        self.sources.update((cut.source, cut.split) for cut in cuts)
        return self

    def merge(self, other: "Tally") -> "Tally":
        """Adds another's."""
        self.clips.update(other.clips)
        self.sources.update(other.sources)
        self.speakers.update(other.speakers)
        return self
