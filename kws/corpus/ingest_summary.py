"""The summary of an ingestion, and the checks that a corpus can be learned from at all."""

import json
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from kws.corpus.folders import Corpus
from kws.corpus.layout import Layout
from kws.corpus.params import IngestParams
from kws.corpus.quarantine import NoteTally, Quarantined, by_reason, check_share
from kws.corpus.source_yield import (
    SourcePart,
    add_misplaced,
    clip_yields,
    long_yields,
    refuse_losses,
)
from kws.errors import KwsError
from kws.labels import label_list, refuse_near_matches
from kws.splits import SPLITS

if TYPE_CHECKING:
    from kws.corpus.clip_table import CorpusReport
    from kws.corpus.plan import Overview, Plan, Tally

INGEST_FILE = "ingest.json"
WORDS_SHOWN = 40


def check_plan(
    plan: "Plan",
    layout: Layout,
    report: "CorpusReport",
    corpus: Corpus,
    expected: Iterable[SourcePart],
) -> None:
    """Refuses a corpus that no keyword spotter can be trained and judged on.

    Args:
      plan: of the corpus.
      layout: that the plan was made of.
      report: on all files.
      corpus: its folders.
      expected: parts that may not be empty (`kws.corpus.source_yield.expected_parts`).

    Raises:
      KwsError: a name that only looks different from a keyword; a source that gives too little;
        and what `check` refuses.
    """
    overview, params = plan.overview, plan.params
    check_names(overview, params)
    if overview.files:  # `check` reports an empty corpus
        yields = clip_yields(corpus, report, plan.distinct, params.keywords)
        found = report.long_recordings
        yields |= long_yields(
            corpus, "backgrounds", layout.backgrounds, overview.backgrounds, found
        )
        yields |= long_yields(corpus, "negatives", layout.negatives, overview.negatives, found)
        misplaced = [Quarantined(name, *why) for name, why in sorted(layout.misplaced.items())]
        add_misplaced(yields, corpus, misplaced, params.keywords)
        refuse_losses(yields, corpus, expected, params.max_source_loss)
    check(overview, params)


def check_names(plan: "Overview", params: IngestParams) -> None:
    """Refuses words and folders that only look different from a keyword or a reserved name.

    Raises:
      KwsError: asks whether the keyword was meant.
    """
    reserved = {
        PurePosixPath(entry.path).parts[-2]: entry.path
        for entry in plan.quarantine
        if entry.reason == "reserved_folder"
    }
    refuse_near_matches(reserved, params.keywords)
    refuse_near_matches(plan.words, params.keywords)


def check(plan: "Overview", params: IngestParams) -> None:
    """Refuses a corpus whose plan lacks what training and evaluation need.

    Raises:
      KwsError: no recordings at all; too many in quarantine; a keyword without a clip in a split,
        where each must have one.
    """
    if not plan.files:
        raise KwsError(
            "there are no recordings in the folder",
            hint="expected <word>/<speaker>_nohash_<n>.wav, one folder a word",
        )
    check_share(plan.quarantine, plan.files, params.max_quarantine_share)
    if not params.require_every_keyword:
        return
    for keyword in params.keywords:
        clips = plan.words.get(keyword)
        if clips is None:
            words = [f"{word} ({sum(n.values())})" for word, n in plan.words.items()]
            more = ", …" if len(words) > WORDS_SHOWN else ""
            raise KwsError(
                f"keyword {keyword!r} has no usable clip: the words found are "
                f"{', '.join(words[:WORDS_SHOWN]) or 'none'}{more}",
                hint=f"a keyword is the name of a folder of recordings: {keyword}/",
            )
        for split in SPLITS:
            if not clips[split]:
                have = ", ".join(f"{s} {n}" for s, n in clips.items())
                raise KwsError(
                    f"keyword {keyword!r} has no clip in split {split} ({have})",
                    hint="add recordings of more speakers, or change the percentages of the splits",
                )


def summarize(plan: "Overview", tally: "Tally", notes: NoteTally, params: IngestParams) -> dict:
    """What `ingest.json` holds: counts per split, label and source, what was left out and why, and
    what is odd about the rest."""
    clips, of_source = tally.clips, tally.sources
    seconds = params.clip_duration_ms / 1000
    return {
        "files": plan.files,
        "quarantined": len(plan.quarantine),
        "quarantine_reasons": {r: len(q) for r, q in by_reason(plan.quarantine).items()},
        "notes": dict(sorted(notes.counts.items())),
        "cross_split_duplicates": plan.leaks,
        "clips": {
            split: {label: clips[split, label] for label in label_list(params.keywords)}
            for split in SPLITS
        },
        "seconds": {
            split: seconds * sum(n for (s, _), n in clips.items() if s == split) for split in SPLITS
        },
        "speakers": {split: tally.speakers[split] for split in SPLITS},
        "sources": {
            source: {split: of_source[source, split] for split in SPLITS}
            for source in sorted({source for source, _ in of_source})
        },
        "usable_words": plan.words,
        "unused": plan.unused,
        "backgrounds": plan.backgrounds,
        "negatives": plan.negatives,
        "rooms": {split: len(parts) for split, parts in plan.rooms.items()},
        "keyword_in_transcript": plan.left_out,
        "params": json.loads(params.to_json()),
    }
