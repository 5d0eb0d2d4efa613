"""The Beam side of the plan: no place sees all files, but for what is small of them.

    examined ─┬─ digests ── sketches in cells ── suspects ─┐
              ├─ suspects' findings ── copies (of suspects alone) ── counts of words
              ├─ what every part of a source gave, and lost: is it enough?
              ├─ histogram of hashes ── boundaries ── limits: the choice
              └─ cuts of every batch ─┬─ windows of long recordings
                                      └─ mixed by their hash ── batches of cuts

What one place does hold: the long recordings, the files in quarantine, the suspects of duplicates,
the counts of each word, and one 65,536th of the other words' names.
"""

from typing import Any

import apache_beam as beam

from components.audio_example_gen import plan_steps as steps
from components.audio_example_gen.plan_copies import FindCopies, dropped
from kws.audio.corpus import Corpus
from kws.audio.params import IngestParams

_Single, _Iter, _Dict = beam.pvalue.AsSingleton, beam.pvalue.AsIter, beam.pvalue.AsDict


class MakePlan(beam.PTransform):
    """From examined batches, and the rest of the layout, to cuts and facts.

    Gives batches of `Cut`s, well mixed, each with its place (`components.records`); one
    `plan_steps.Seen`; and one `Tally` of the cuts. If there is a problem, no cuts are made.
    """

    def __init__(self, params: IngestParams, corpus: Corpus):
        super().__init__()
        self._params = params.to_json()
        self._corpus = corpus

    def expand(self, inputs: Any) -> Any:  # Beam takes no dict of outputs as a type hint.
        examined, rest = inputs
        params, corpus = self._params, self._corpus
        copies = (examined, rest) | "Copies" >> FindCopies(IngestParams.from_json(params))
        unwanted = _Single(copies | "Dropped" >> beam.Map(dropped))
        per_word = _Single(
            examined
            | "CountWords" >> beam.Map(steps.count_words, unwanted)
            | "AddWords" >> beam.CombineGlobally(steps.added)
        )
        long = _Single(
            examined
            | "Long" >> beam.FlatMap(steps.long_findings)
            | "AllLong" >> beam.combiners.ToDict()
        )
        bad = _Iter(examined | "Bad" >> beam.FlatMap(steps.bad_files))
        files = _Single(
            examined | "Files" >> beam.Map(steps.files) | "AddFiles" >> beam.CombineGlobally(sum)
        )
        notes = _Single(
            examined
            | "Notes" >> beam.Map(steps.notes_on)
            | "AddNotes" >> beam.CombineGlobally(steps.all_notes)
        )
        clips = _Single(
            examined
            | "YieldOfParts" >> beam.Map(steps.part_yields, unwanted, corpus, params)
            | "AddYields" >> beam.CombineGlobally(steps.merged_yields)
        )
        facts = long, bad, _Single(copies), per_word, files, notes, clips
        seen = rest | "See" >> beam.Map(steps.see, *facts, corpus, params)
        cuts = self._cuts(examined, unwanted, per_word, long, seen)
        mixed = (
            cuts
            | "ByPlace" >> beam.FlatMap(steps.by_place, per_word, params)
            | "Mix" >> beam.GroupByKey()
            | "InOrder" >> beam.FlatMap(steps.in_order, params)
        )
        speakers = (
            cuts
            | "Speakers" >> beam.FlatMap(steps.speakers)
            | "EachSpeaker" >> beam.Distinct()
            | "TheirSplits" >> beam.Map(steps.first)
            | "CountSpeakers" >> beam.combiners.Count.PerElement()
            | "AllSpeakers" >> beam.combiners.ToDict()
        )
        tally = (
            cuts
            | "Tally" >> beam.Map(steps.tally)
            | "AddTallies" >> beam.CombineGlobally(steps.merged)
            | "WithSpeakers" >> beam.Map(steps.with_speakers, _Single(speakers))
        )
        return {"cuts": mixed, "seen": seen, "tally": tally}

    def _cuts(self, examined: Any, unwanted: Any, per_word: Any, long: Any, seen: Any) -> Any:
        """Lists of `Cut`s: of the words of a batch, or of some windows."""
        params = self._params
        boundary = _Single(
            examined
            | "Buckets" >> beam.Map(steps.histogram, unwanted, per_word, params)
            | "AddBuckets" >> beam.CombineGlobally(steps.added)
            | "Boundaries" >> beam.Map(steps.boundaries, per_word, params)
        )
        chosen = _Single(
            examined
            | "InBoundary" >> beam.FlatMap(steps.in_boundary, unwanted, per_word, boundary, params)
            | "AllInBoundary" >> beam.combiners.ToList()
            | "Choose" >> beam.Map(steps.choose, boundary, per_word, params)
        )
        heard = _Dict(
            examined
            | "Trained" >> beam.FlatMap(steps.trained, unwanted, chosen, params)
            | "EachWord" >> beam.Distinct()
            | "ByWord" >> beam.Map(steps.keyed)
        )
        words = examined | "CutWords" >> beam.FlatMap(
            steps.cut_words, unwanted, chosen, heard, _Single(seen), params
        )
        windows = (
            seen
            | "Windows" >> beam.FlatMap(steps.windows, per_word, params)
            | "SpreadWindows" >> beam.Reshuffle()
            | "CutWindows" >> beam.Map(steps.cut_windows, _Single(seen), long, params)
        )
        return (words, windows) | "AllCuts" >> beam.Flatten()
