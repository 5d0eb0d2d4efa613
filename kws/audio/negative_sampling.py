"""Negative sampling: which recordings of other words than the keywords become clips.

Of the other words the clips of the lowest hashes are taken, as many as `unknown_percentage` asks
for. Hashes are of the seed and of names, so the order of files makes no difference, and a clip more
displaces one at most.
"""

import math
from collections import Counter

import numpy as np

from kws.audio.clip_table import ClipTable
from kws.audio.params import IngestParams
from kws.audio.windows import rank
from kws.labels import UNKNOWN
from kws.splits import SPLITS, TEST, Split

PerWord = Counter[tuple[str, Split]]
"""Usable distinct clips of each word in each split, used or not."""


def clips_of_percentage(percentage: float, clips: int) -> int:
    """How many clips a percentage of some number of clips is, rounded up."""
    return math.ceil(percentage * clips / 100)


def find_rare_words(per_word: PerWord, params: IngestParams) -> frozenset[str]:
    """Other words of fewer than `rare_word_clips`; never those that nobody named."""
    totals: Counter[str] = Counter()
    for (word, _), clips in per_word.items():
        totals[word] += clips
    rare = {word for word, clips in totals.items() if clips < params.rare_word_clips}
    return frozenset(rare - {UNKNOWN, *params.keywords})


def keyword_clips(per_word: PerWord, params: IngestParams) -> dict[Split, int]:
    """The clips of keywords in each split."""
    return {split: sum(per_word[word, split] for word in params.keywords) for split in SPLITS}


def count_unused(per_word: PerWord, params: IngestParams) -> dict[str, dict[Split, int]]:
    """Counts the clips that are left out.

    Returns:
      `not_sampled` (other words beyond `unknown_percentage`) and `rare_word` (rare words outside
      test), of each split.
    """
    rare, keywords = find_rare_words(per_word, params), keyword_clips(per_word, params)
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
    clips: ClipTable, kept: np.ndarray, per_word: PerWord, params: IngestParams
) -> np.ndarray:
    """Which clips are used: all keywords, rare words in test, and a sample of the other words.

    Args:
      clips: the usable ones.
      kept: bool `[rows]`: one clip of each content.
      per_word: counts of them.
      params: `unknown_percentage`, `rare_word_clips`, seed.

    Returns:
      bool `[rows]`.
    """
    keyword = clips.words.isin(params.keywords)
    rare = clips.words.isin(find_rare_words(per_word, params))
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
