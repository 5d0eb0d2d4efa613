"""Choice: which recordings of words become clips, each decided by itself from a few small facts.

All choices hang on hashes of the seed and of names, never on the order of files or on workers: of
other words the clips with the lowest hashes are taken, as many as `unknown_percentage` asks for. A
limit on the hash says that of one clip without a look at the others, so no place needs all clips.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from kws.audio.clip import Novelty
from kws.audio.cut import Cut
from kws.audio.layout import Word
from kws.audio.params import IngestParams
from kws.audio.windows import rank
from kws.labels import UNKNOWN
from kws.splits import SPLITS, TEST, TRAIN, Split

PerWord = Counter[tuple[str, Split]]
"""Usable distinct clips of each word in each split, used or not."""
Order = tuple[int, str]
"""Hash and name of a clip of another word: the lower it is, the sooner the clip is taken."""
_NO_CLIP: Order = (-1, "")
_EVERY_CLIP: Order = (1 << 64, "")
_BUCKETS_BITS = 16


@dataclasses.dataclass(frozen=True)
class Choice:
    """What decides about a word.

    Attributes:
      rare: words that are heard in test only.
      limits: of each split, up to which order clips of other words are taken.
    """

    rare: frozenset[str]
    limits: Mapping[Split, Order]

    def takes(self, word: Word, params: IngestParams) -> bool:
        """All keywords, rare words in test, and the share of the other words."""
        if word.word in params.keywords:
            return True
        if word.word in self.rare:
            return word.split == TEST
        return order(word, params) <= self.limits[word.split]


def share(percentage: float, clips: int) -> int:
    """So many clips are so many per cent, or just over."""
    return math.ceil(percentage * clips / 100)


def order(word: Word, params: IngestParams) -> Order:
    """See `Order`."""
    return rank(params.seed, word.name), word.name


def rare_words(per_word: PerWord, params: IngestParams) -> frozenset[str]:
    """Other words of fewer than `rare_word_clips`; never those that nobody named."""
    totals: Counter[str] = Counter()
    for (word, _), clips in per_word.items():
        totals[word] += clips
    rare = {word for word, clips in totals.items() if clips < params.rare_word_clips}
    return frozenset(rare - {UNKNOWN, *params.keywords})


def keyword_clips(per_word: PerWord, params: IngestParams) -> dict[Split, int]:
    """Of each split."""
    return {split: sum(per_word[word, split] for word in params.keywords) for split in SPLITS}


def others(per_word: PerWord, params: IngestParams) -> dict[Split, tuple[int, int]]:
    """Of each split: clips of other words that may be heard, and how many of them are wanted."""
    rare, keywords = rare_words(per_word, params), keyword_clips(per_word, params)
    heard: Counter[Split] = Counter()
    for (word, split), clips in per_word.items():
        if word not in rare and word not in params.keywords:
            heard[split] += clips
    wanted = {split: share(params.unknown_percentage, keywords[split]) for split in SPLITS}
    return {split: (heard[split], min(heard[split], wanted[split])) for split in SPLITS}


def unused(per_word: PerWord, params: IngestParams) -> dict[str, dict[Split, int]]:
    """`not_sampled`: other words beyond their share; `rare_word`: rare words outside test."""
    rare = rare_words(per_word, params)
    counted = others(per_word, params)
    return {
        "not_sampled": {split: heard - taken for split, (heard, taken) in counted.items()},
        "rare_word": {
            split: 0 if split == TEST else sum(per_word[word, split] for word in rare)
            for split in SPLITS
        },
    }


def bucket(word: Word, params: IngestParams) -> int:
    """The first bits of its hash: a histogram of these finds the limit in two looks."""
    return order(word, params)[0] >> (64 - _BUCKETS_BITS)


def boundaries(
    histogram: Counter[tuple[Split, int]], per_word: PerWord, params: IngestParams
) -> dict[Split, tuple[int, int]]:
    """The bucket that each split's limit is in, and how many clips of that bucket are taken.

    A split that takes all or none has no boundary.
    """
    found: dict[Split, tuple[int, int]] = {}
    for split, (heard, wanted) in others(per_word, params).items():
        if not 0 < wanted < heard:
            continue
        left = wanted
        for (_, here), clips in sorted(item for item in histogram.items() if item[0][0] == split):
            if left <= clips:
                found[split] = here, left
                break
            left -= clips
    return found


def choose(
    in_boundary: Iterable[tuple[Split, Order]],
    boundary: Mapping[Split, tuple[int, int]],
    per_word: PerWord,
    params: IngestParams,
) -> Choice:
    """The choice.

    Args:
      in_boundary: split and order of the clips in the boundaries' buckets.
      boundary: of `boundaries`.
      per_word: see `PerWord`.
      params: shares, seed.
    """
    orders: dict[Split, list[Order]] = {split: [] for split in SPLITS}
    for split, found in in_boundary:
        orders[split].append(found)
    limits = {}
    for split, (_, wanted) in others(per_word, params).items():
        if split in boundary:
            limits[split] = sorted(orders[split])[boundary[split][1] - 1]
        else:
            limits[split] = _EVERY_CLIP if wanted else _NO_CLIP
    return Choice(rare_words(per_word, params), limits)


def cut_of(word: Word, in_training: Collection[str], params: IngestParams) -> Cut:
    """The clip of a word that was chosen; `in_training` are the words that training hears."""
    novelty: Novelty = "heard" if word.word in in_training else "new_word"
    keyword = word.word in params.keywords
    fields: dict[str, Any] = {"name": word.name, "split": word.split, "speaker": word.speaker}
    return Cut(
        **fields,
        label=word.word if keyword else UNKNOWN,
        word=word.word,
        source=word.source or params.source,
        novelty="keyword" if keyword else novelty,
    )


def is_of_training(word: Word) -> bool:
    """Whether training hears it, if it was chosen."""
    return word.split == TRAIN
