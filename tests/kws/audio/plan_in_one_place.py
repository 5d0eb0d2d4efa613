"""The whole plan by lists of all files, in one function: the reference of the one by parts.

It shares `duplicates.distinct`, the windows and the hash with that, and nothing else.
"""

import dataclasses
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from kws.audio.clip import Novelty
from kws.audio.cut import Cut
from kws.audio.duplicates import distinct
from kws.audio.examine import Finding
from kws.audio.layout import Layout, Word
from kws.audio.params import IngestParams
from kws.audio.quarantine import Quarantined
from kws.audio.splits import Part
from kws.audio.windows import negative_cuts, rank, silence_cuts, usable_parts
from kws.labels import UNKNOWN
from kws.splits import SPLITS, TEST, TRAIN, Split


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to make of a corpus.

    Attributes:
      cuts: the clips of all splits, well mixed.
      quarantine: every file that is not used because something is wrong with it, by name.
      leaks: how many of the quarantined have their content in another split.
      files: how many files were judged (used, unused and quarantined).
      words: usable distinct clips of each word in each split, used or not.
      unused: `not_sampled` (other words beyond their share) and `rare_word` (clips of rare words
        outside test), for each split.
      backgrounds, negatives: the usable parts of each split.
      rooms, left_out: as the layout has them.
    """

    cuts: list[Cut]
    quarantine: list[Quarantined]
    leaks: int
    files: int
    words: dict[str, dict[Split, int]]
    unused: dict[str, dict[Split, int]]
    backgrounds: dict[Split, list[Part]]
    negatives: dict[Split, list[Part]]
    rooms: dict[Split, list[Part]]
    left_out: int


def make_plan(layout: Layout, findings: Iterable[Finding], params: IngestParams) -> Plan:
    """Decides about every file.

    Args:
      layout: of the corpus.
      findings: one for each file of `layout.words`, `.backgrounds` and `.negatives`.
      params: keywords, shares, seed.
    """
    found = {finding.name: finding for finding in findings}
    quarantine = [Quarantined(n, *why) for n, why in layout.misplaced.items()]
    quarantine += [Quarantined(f.name, f.reason, f.detail) for f in found.values() if f.reason]
    usable, duplicates, leaks = distinct(layout.words, found, params.keywords)
    quarantine += duplicates

    per_word: dict[str, Counter[Split]] = defaultdict(Counter)
    for word in usable:
        per_word[word.word][word.split] += 1
    backgrounds = {s: usable_parts(parts, found, params) for s, parts in layout.backgrounds.items()}
    negatives = {s: usable_parts(parts, found, params) for s, parts in layout.negatives.items()}

    chosen, unused = _choose_words(usable, per_word, params)
    cuts = _word_cuts(chosen, params)
    keyword_clips = Counter(cut.split for cut in cuts if cut.label != UNKNOWN)
    for split in SPLITS:
        count = _share(params.silence_percentage, keyword_clips[split])
        cuts += silence_cuts(split, range(count), backgrounds[split], found, params)
    count = _share(params.negatives_percentage, keyword_clips[TRAIN])
    cuts += negative_cuts(range(count), negatives[TRAIN], found, params)
    cuts.sort(key=lambda cut: rank(params.seed, f"{cut.name}{cut.starts_ms}{cut.seed}"))
    return Plan(
        cuts=cuts,
        quarantine=sorted(quarantine),
        leaks=leaks,
        files=len(found) + len(layout.misplaced),
        words={w: {s: n[s] for s in SPLITS} for w, n in sorted(per_word.items())},
        unused=unused,
        backgrounds=backgrounds,
        negatives=negatives,
        rooms=layout.rooms,
        left_out=len(layout.left_out),
    )


def _choose_words(
    usable: Sequence[Word], per_word: dict[str, Counter[Split]], params: IngestParams
) -> tuple[list[Word], dict[str, dict[Split, int]]]:
    """All keywords, rare words in test, and the share of the other words."""
    keywords = [word for word in usable if word.word in params.keywords]
    others = [word for word in usable if word.word not in params.keywords]
    rare = {w for w, clips in per_word.items() if clips.total() < params.rare_word_clips}
    rare -= {UNKNOWN}  # Words of all kinds, however few.
    chosen = keywords + [w for w in others if w.word in rare and w.split == TEST]
    unused: dict[str, dict[Split, int]] = {"not_sampled": {}, "rare_word": {}}
    for split in SPLITS:
        here = [w for w in others if w.split == split]
        heard = [w for w in here if w.word not in rare]
        heard.sort(key=lambda word: rank(params.seed, word.name))
        count = _share(params.unknown_percentage, sum(w.split == split for w in keywords))
        chosen += heard[:count]
        unused["not_sampled"][split] = len(heard[count:])
        unused["rare_word"][split] = 0 if split == TEST else len(here) - len(heard)
    return chosen, unused


def _word_cuts(chosen: Sequence[Word], params: IngestParams) -> list[Cut]:
    in_training = {word.word for word in chosen if word.split == TRAIN}

    def cut(word: Word) -> Cut:
        novelty: Novelty = "heard" if word.word in in_training else "new_word"
        keyword = word.word in params.keywords
        return Cut(
            name=word.name,
            split=word.split,
            label=word.word if keyword else UNKNOWN,
            word=word.word,
            speaker=word.speaker,
            source=word.source or params.source,
            novelty="keyword" if keyword else novelty,
        )

    return [cut(word) for word in chosen]


def _share(percentage: float, clips: int) -> int:
    return math.ceil(percentage * clips / 100)
