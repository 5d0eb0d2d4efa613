"""Plans an ingestion: from the reports on all files to the clips of every split.

All choices depend on hashes of the seed and of names, never on the order of files; window number
i of a split has its own random generator (`windows`). Facts are columns (`clip_table`) and become
objects a few at a time, so that five million clips fit into one process.

Of the clips of other words, those with the lowest hashes are taken, as many as
`unknown_percentage` asks for, so one more clip displaces at most one.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kws.audio.clip import Novelty
from kws.corpus.clip_spec import ClipSpec
from kws.corpus.clip_table import ClipTable, CorpusReport
from kws.corpus.duplicates import Distinct, find_distinct
from kws.corpus.layout import Layout
from kws.corpus.params import IngestParams
from kws.corpus.quarantine import Quarantined
from kws.corpus.splits import Part
from kws.corpus.windows import draw_negative_windows, draw_silence_windows, rank, usable_parts
from kws.labels import UNKNOWN
from kws.splits import SPLITS, TEST, TRAIN, Split

PerWord = Counter[tuple[str, Split]]
"""Usable distinct clips of each word in each split, used or not."""


def clips_of_percentage(percentage: float, clips: int) -> int:
    """How many clips a percentage of some number of clips is, rounded up."""
    return math.ceil(percentage * clips / 100)


def find_rare_words(per_word: PerWord, params: IngestParams) -> frozenset[str]:
    """Other words of fewer than `rare_word_clips`; never those that nobody named.

    Args:
      per_word: counts of sources that something is judged by: what only voices say, in training,
        is not rare.
      params: keywords and `rare_word_clips`.
    """
    totals: Counter[str] = Counter()
    for (word, _), clips in per_word.items():
        totals[word] += clips
    rare = {word for word, clips in totals.items() if clips < params.rare_word_clips}
    return frozenset(rare - {UNKNOWN, *params.keywords})


def keyword_clips(per_word: PerWord, params: IngestParams) -> dict[Split, int]:
    """The clips of keywords in each split."""
    return {split: sum(per_word[word, split] for word in params.keywords) for split in SPLITS}


def count_unused(
    per_word: PerWord, rare: frozenset[str], params: IngestParams
) -> dict[str, dict[Split, int]]:
    """Counts the clips that are left out.

    Args:
      per_word: of all sources.
      rare: words.
      params: `unknown_percentage`.

    Returns:
      `not_sampled` (other words beyond `unknown_percentage`) and `rare_word` (rare words outside
      test), of each split.
    """
    keywords = keyword_clips(per_word, params)
    unused = {"not_sampled": dict.fromkeys(SPLITS, 0), "rare_word": dict.fromkeys(SPLITS, 0)}
    for (word, split), clips in per_word.items():
        if word in rare:
            unused["rare_word"][split] += 0 if split == TEST else clips
        elif word not in params.keywords:
            unused["not_sampled"][split] += clips
    for split, others in unused["not_sampled"].items():
        wanted = clips_of_percentage(params.unknown_percentage, keywords[split])
        unused["not_sampled"][split] = max(0, others - wanted)
    return unused


def includes(
    clips: ClipTable,
    kept: np.ndarray,
    per_word: PerWord,
    rare_words: frozenset[str],
    params: IngestParams,
) -> np.ndarray:
    """Which clips are used: all keywords, rare words in test, and a sample of the other words.

    Args:
      clips: the usable ones.
      kept: bool `[rows]`: one clip of each content.
      per_word: counts of them.
      rare_words: see `find_rare_words`.
      params: `unknown_percentage`, seed.

    Returns:
      bool `[rows]`.
    """
    keyword = clips.words.isin(params.keywords)
    rare = clips.words.isin(rare_words)
    included = kept & (keyword | (rare & (clips.splits == SPLITS.index(TEST))))
    for split, keywords in keyword_clips(per_word, params).items():
        wanted = clips_of_percentage(params.unknown_percentage, keywords)
        in_split = clips.splits == SPLITS.index(split)
        others = np.flatnonzero(kept & ~keyword & ~rare & in_split)
        if 0 < wanted < len(others):
            ranks = (rank(params.seed, name) for name in clips.iter_names(others))
            # A stable sort of rows in the order of names: of equal hashes the first name is taken.
            others = others[np.argsort(np.fromiter(ranks, np.uint64, len(others)), kind="stable")]
        included[others[:wanted]] = True
    return included


PLACE_CLIPS = 512
"""Clips a place, which is a file: 16 MB of clips of one second."""
_TRAIN_CODE = SPLITS.index(TRAIN)


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
      backgrounds: the usable parts of noise, of each split.
      negatives: the usable parts of sound without keywords, of each split.
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


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What to make of a corpus.

    Attributes:
      overview: what there is, and what of it is not used.
      distinct: which of the usable recordings of words are copies.
      clips: the usable recordings of words.
      included: bool `[rows]`: which of these become clips.
      windows: the clips that are cut from long recordings.
      params: that the plan was made with.
    """

    overview: Overview
    distinct: Distinct
    clips: ClipTable
    included: np.ndarray
    windows: list[ClipSpec]
    params: IngestParams

    def places(self) -> Iterator[tuple[int, list[ClipSpec]]]:
        """All clips, well mixed, a place at a time: (place, its clips in their order).

        A place is a file (`PLACE_CLIPS`); one without clips is left out.
        """
        rows = np.flatnonzero(self.included)
        total = len(rows) + len(self.windows)
        mixed = np.fromiter(self._mixing_keys(rows), np.uint64, total)
        places = 1 + np.count_nonzero(self.distinct.kept) // PLACE_CLIPS
        place_of = mixed % np.uint64(places)
        in_order = np.lexsort((mixed, place_of))
        trained = self.clips.words.codes[self.included & (self.clips.splits == _TRAIN_CODE)]
        in_training = np.isin(self.clips.words.codes, np.unique(trained))
        first = 0
        for place, count in zip(*np.unique(place_of, return_counts=True), strict=True):
            some = in_order[first : first + count]
            first += count
            of_rows = some[some < len(rows)]
            specs = dict(zip(of_rows, self._specs(rows[of_rows], in_training), strict=True))
            yield int(place), [specs.get(i) or self.windows[i - len(rows)] for i in some]

    def tally(self) -> Tally:
        """Counts the clips."""
        clips, included = self.clips, self.included
        tally = Tally()
        for (word, split), count in clips.count_by_split(clips.words, included).items():
            tally.clips[split, self._label(word)] += count
        for (source, split), count in clips.count_by_split(clips.sources, included).items():
            tally.sources[source or self.params.source, split] += count
        for code, split in enumerate(SPLITS):
            speakers = clips.speakers.codes[included & (clips.splits == code)]
            tally.speakers[split] = len(np.unique(speakers))
        tally.clips.update((window.split, window.label) for window in self.windows)
        tally.sources.update((window.source, window.split) for window in self.windows)
        return tally

    def _label(self, word: str) -> str:
        return word if word in self.params.keywords else UNKNOWN

    def _mixing_keys(self, rows: np.ndarray) -> Iterator[int]:
        seed = self.params.seed
        yield from (mixing_key(seed, name) for name in self.clips.iter_names(rows))
        yield from (mixing_key(seed, w.name, w.starts_ms, w.seed) for w in self.windows)

    def _specs(self, rows: np.ndarray, in_training: np.ndarray) -> Iterator[ClipSpec]:
        clips = self.clips
        columns = (clips.words, clips.speakers, clips.sources)
        strings = zip(*(column.of_rows(rows) for column in columns), strict=True)
        for row, name, (word, speaker, source) in zip(
            rows, clips.names_of_rows(rows), strings, strict=True
        ):
            label = self._label(word)
            heard: Novelty = "heard" if in_training[row] else "new_word"
            yield ClipSpec(
                name=name,
                split=SPLITS[clips.splits[row]],
                label=label,
                word=word,
                speaker=speaker,
                source=source or self.params.source,
                novelty=heard if label == UNKNOWN else "keyword",
            )


def mixing_key(seed: int, name: str, starts_ms: tuple[float, ...] = (), noise_seed: int = 0) -> int:
    """Clips in the order of these 64 bits are well mixed, whatever they were cut from."""
    return rank(seed, f"{name}{starts_ms}{noise_seed}")


def make_plan(layout: Layout, report: CorpusReport, params: IngestParams) -> Plan:
    """Decides about every file.

    Args:
      layout: of the corpus; its words are not read, for the report has them.
      report: on all files of the layout.
      params: keywords, percentages, seed.
    """
    clips, long_recordings = report.clips, report.long_recordings
    distinct = find_distinct(clips, params.keywords)
    per_word = clips.count_by_split(clips.words, distinct.kept)
    words = {word: dict.fromkeys(SPLITS, 0) for word in sorted({word for word, _ in per_word})}
    for (word, split), count in per_word.items():
        words[word][split] = count
    judged = distinct.kept & ~clips.sources.isin(layout.training_only)
    rare = find_rare_words(clips.count_by_split(clips.words, judged), params)

    def usable(parts: Mapping[Split, Sequence[Part]]) -> dict[Split, list[Part]]:
        return {split: usable_parts(some, long_recordings, params) for split, some in parts.items()}

    misplaced = [Quarantined(name, *why) for name, why in layout.misplaced.items()]
    overview = Overview(
        quarantine=sorted([*misplaced, *report.unusable, *distinct.dropped.values()]),
        leaks=distinct.leaks,
        files=report.files + len(misplaced),
        words=words,
        unused=count_unused(per_word, rare, params),
        backgrounds=usable(layout.backgrounds),
        negatives=usable(layout.negatives),
        rooms=layout.rooms,
        left_out=len(layout.left_out),
    )
    windows = []
    for split, keywords in keyword_clips(per_word, params).items():
        numbers = range(clips_of_percentage(params.silence_percentage, keywords))
        backgrounds = overview.backgrounds[split]
        windows += draw_silence_windows(split, numbers, backgrounds, long_recordings, params)
        if split == TRAIN:
            numbers = range(clips_of_percentage(params.negatives_percentage, keywords))
            negatives = overview.negatives[split]
            windows += draw_negative_windows(numbers, negatives, long_recordings, params)
    included = includes(clips, distinct.kept, per_word, rare, params)
    return Plan(overview, distinct, clips, included, windows, params)


class Lost(NamedTuple):
    """A clip that could not be made after all: its recording had passed inspection."""

    spec: ClipSpec
    reason: str
    detail: str


def without_lost(found: Overview, tally: "Tally", lost: Sequence[Lost]) -> tuple[Overview, "Tally"]:
    """The same without the clips that were lost: their recordings go to the quarantine."""
    gone = {one.spec.name: Quarantined(one.spec.name, one.reason, one.detail) for one in lost}
    words = {word: dict(counts) for word, counts in found.words.items()}
    left = Tally(Counter(tally.clips), Counter(tally.sources), Counter(tally.speakers))
    for one in lost:
        left.clips[one.spec.split, one.spec.label] -= 1
        left.sources[one.spec.source, one.spec.split] -= 1
        if one.spec.word in words:
            words[one.spec.word][one.spec.split] -= 1

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
