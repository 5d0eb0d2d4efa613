"""The steps of `MakePlan`: what one worker does with one element. See `kws.audio.plan`.

Beam infers types from annotations and mistakes some: what it is to leave alone is `Any`.
"""

import pickle
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from kws.audio import choice, plan
from kws.audio.choice import PerWord
from kws.audio.corpus import Corpus
from kws.audio.cut import Cut
from kws.audio.examine import Finding
from kws.audio.ingest_summary import check, check_names
from kws.audio.layout import Layout, Word
from kws.audio.params import IngestParams
from kws.audio.quarantine import NoteTally, Quarantined
from kws.audio.source_yield import (
    PartYields,
    SourcePart,
    SourceYield,
    add_misplaced,
    clip_part,
    long_yields,
    refuse_losses,
)
from kws.errors import KwsError

BATCH_CLIPS = 64
"""Cuts an element."""
PLACE_CLIPS = 512
"""Cuts a place, which is a file: 16 MB of clips of one second."""


class Rest(NamedTuple):
    """What is known of a corpus by the names of its files, but for the words themselves.

    Attributes:
      layout: without its words.
      words: how many there are.
      expected: parts of sources that may not be empty.
    """

    layout: Layout
    words: int
    expected: tuple[SourcePart, ...] = ()


class Seen(NamedTuple):
    """What there is, why it cannot be learned from (message and hint, or None), what is odd."""

    overview: plan.Overview
    problem: dict[str, str | None] | None
    notes: NoteTally


def pack(words: list[Word], findings: list[Finding]) -> bytes:
    """An examined batch: its words, and the findings of all its files.

    Beam keeps and copies them: bytes take a third.
    """
    return pickle.dumps((words, findings), pickle.HIGHEST_PROTOCOL)


def unpack(batch: bytes) -> tuple[list[Word], list[Finding]]:
    """What was packed."""
    return pickle.loads(batch)


def _usable(batch: bytes, dropped: Collection[str]) -> Iterator[Word]:
    words, findings = unpack(batch)
    bad = {finding.name for finding in findings if finding.reason}
    return (word for word in words if word.name not in bad and word.name not in dropped)


def keyed(item: Any) -> Any:
    """For a side input that is asked whether it holds something."""
    return item, None


def first(pair: Any) -> Any:
    """Of two."""
    return pair[0]


def added(counters: Iterable[Any]) -> Any:
    """The sum."""
    total: Counter[Any] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def files(batch: bytes) -> int:
    """How many."""
    return len(unpack(batch)[1])


def bad_files(batch: bytes) -> Iterator[Any]:
    """Those that cannot be used by themselves."""
    for found in unpack(batch)[1]:
        if found.reason:
            yield Quarantined(found.name, found.reason, found.detail)


def notes_on(batch: bytes) -> Any:
    """`NoteTally` of the files of a batch that can be used."""
    tally = NoteTally()
    for found in unpack(batch)[1]:
        tally.add(found.name, found.notes)
    return tally


def all_notes(tallies: Iterable[Any]) -> Any:
    """The sum."""
    total = NoteTally()
    for one in tallies:
        total.merge(one)
    return total


def long_findings(batch: bytes) -> Iterator[Any]:
    """(Name, finding) of long recordings."""
    words, findings = unpack(batch)
    names = {word.name for word in words}
    yield from ((found.name, found) for found in findings if found.name not in names)


def count_words(batch: bytes, dropped: Any) -> Any:
    """`PerWord` of a batch."""
    return Counter((word.word, word.split) for word in _usable(batch, dropped))


def part_yields(batch: bytes, dropped: Any, corpus: Corpus, params_json: str) -> Any:
    """`PartYields` of the words of a batch."""
    params = IngestParams.from_json(params_json)
    words, findings = unpack(batch)
    found = {finding.name: finding for finding in findings}
    yields: PartYields = {}
    for word in words:
        part = clip_part(corpus, word.name, word.word, params.keywords)
        finding = found[word.name]
        reason, detail = finding.reason, finding.detail
        if word.name in dropped:
            reason, detail = dropped[word.name], "see quarantine.jsonl"
        yields.setdefault(part, SourceYield()).add(word.name, reason, detail)
    return yields


def merged_yields(some: Iterable[Any]) -> Any:
    """The sum of `PartYields`."""
    total: PartYields = {}
    for yields in some:
        for part, one in yields.items():
            total.setdefault(part, SourceYield()).merge(one)
    return total


def see(
    rest: Any,
    long: Any,
    bad: Any,
    copies: Any,
    per_word: Any,
    files: Any,
    notes: Any,
    clips: Any,
    corpus: Corpus,
    params_json: str,
) -> Any:
    """The `Seen`. What cannot be learned from is no error yet: raised in here, it would reach the
    user as a runner's stack trace."""
    params = IngestParams.from_json(params_json)
    found = plan.overview(rest.layout, long, bad, copies, per_word, files, params)
    try:
        check_names(found, params)
        _refuse_losses(rest, found, long, clips, corpus, params)
        check(found, params)
    except KwsError as error:
        return Seen(found, {"message": error.message, "hint": error.hint}, notes)
    return Seen(found, None, notes)


def _refuse_losses(
    rest: Rest,
    found: plan.Overview,
    long: dict[str, Finding],
    clips: PartYields,
    corpus: Corpus,
    params: IngestParams,
) -> None:
    if not found.files:  # `check` reports an empty corpus
        return
    layout = rest.layout
    backgrounds = long_yields(corpus, "backgrounds", layout.backgrounds, found.backgrounds, long)
    negatives = long_yields(corpus, "negatives", layout.negatives, found.negatives, long)
    yields = merged_yields([clips, backgrounds, negatives])
    misplaced = [Quarantined(name, *why) for name, why in sorted(layout.misplaced.items())]
    add_misplaced(yields, corpus, misplaced, params.keywords)
    refuse_losses(yields, corpus, rest.expected, params.max_source_loss)


def _others(
    batch: bytes, dropped: Collection[str], per_word: PerWord, params: IngestParams
) -> Iterator[Word]:
    """Clips of other words that may be heard."""
    left_out = {*choice.rare_words(per_word, params), *params.keywords}
    return (word for word in _usable(batch, dropped) if word.word not in left_out)


def histogram(batch: bytes, dropped: Any, per_word: Any, params_json: str) -> Any:
    """Counts of (split, bucket) of other words."""
    params = IngestParams.from_json(params_json)
    others = _others(batch, dropped, per_word, params)
    return Counter((word.split, choice.bucket(word, params)) for word in others)


def boundaries(counts: Any, per_word: Any, params_json: str) -> Any:
    """See `choice.boundaries`."""
    return choice.boundaries(counts, per_word, IngestParams.from_json(params_json))


def in_boundary(
    batch: bytes, dropped: Any, per_word: Any, boundary: Any, params_json: str
) -> Iterator[Any]:
    """(Split, order) of other words in the buckets of the boundaries."""
    params = IngestParams.from_json(params_json)
    for word in _others(batch, dropped, per_word, params):
        if word.split in boundary and choice.bucket(word, params) == boundary[word.split][0]:
            yield word.split, choice.order(word, params)


def choose(found: Any, boundary: Any, per_word: Any, params_json: str) -> Any:
    """See `choice.choose`."""
    return choice.choose(found, boundary, per_word, IngestParams.from_json(params_json))


def trained(batch: bytes, dropped: Any, chosen: Any, params_json: str) -> Iterator[Any]:
    """Words that training hears."""
    params = IngestParams.from_json(params_json)
    usable = _usable(batch, dropped)
    yield from {w.word for w in usable if choice.is_of_training(w) and chosen.takes(w, params)}


def cut_words(
    batch: bytes, dropped: Any, chosen: Any, heard: Any, seen: Any, params_json: str
) -> Iterator[Any]:
    """A list of cuts, if any word of the batch was chosen."""
    params = IngestParams.from_json(params_json)
    cuts = [
        choice.cut_of(word, heard, params)
        for word in _usable(batch, dropped)
        if chosen.takes(word, params)
    ]
    if cuts and seen.problem is None:
        yield cuts


def windows(seen: Any, per_word: Any, params_json: str) -> Iterator[Any]:
    """What is to be cut from long recordings, some at a time."""
    if seen.problem is None:
        yield from plan.windows(per_word, IngestParams.from_json(params_json))


def cut_windows(some: Any, seen: Any, long: Any, params_json: str) -> Any:
    """A list of cuts."""
    return plan.window_cuts(some, seen.overview, long, IngestParams.from_json(params_json))


def by_place(cuts: Any, per_word: Any, params_json: str) -> Iterator[Any]:
    """(Place, cut)."""
    params = IngestParams.from_json(params_json)
    places = 1 + sum(per_word.values()) // PLACE_CLIPS
    yield from ((plan.mixing(cut, params) % places, cut) for cut in cuts)


def in_order(group: Any, params_json: str) -> Iterator[Any]:
    """The cuts of a place in batches, (place, cuts)."""
    params = IngestParams.from_json(params_json)
    cuts = sorted(group[1], key=lambda cut: plan.mixing(cut, params))
    for start in range(0, len(cuts), BATCH_CLIPS):
        yield group[0], cuts[start : start + BATCH_CLIPS]


def speakers(cuts: list[Cut]) -> Iterator[Any]:
    """(Split, speaker) of those who say a word."""
    yield from {(cut.split, cut.speaker) for cut in cuts if cut.word}


def tally(cuts: list[Cut]) -> Any:
    """Of one list."""
    return plan.Tally().add(cuts)


def merged(tallies: Iterable[Any]) -> Any:
    """The sum."""
    total = plan.Tally()
    for one in tallies:
        total.merge(one)
    return total


def with_speakers(total: Any, speakers: Any) -> Any:
    """The tally with the speakers of each split."""
    return plan.Tally(total.clips, total.sources, Counter(speakers))
