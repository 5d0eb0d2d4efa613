"""The Beam side of ingestion: list, examine every file, plan once, make the chosen clips.

    names ─┬─ batches ── examine (decode, hash) ── findings ─┐
           └─ layout of long recordings ─────────────────────┴─ plan ── batches of cuts ── clips

Files are read twice. That is cheaper than to carry the audio of all files through the plan, where
duplicates are found and the exact shares are drawn: only names and hashes go there.
"""

import dataclasses
import json
import os
from collections.abc import Iterator
from typing import Any, TypeVar

import apache_beam as beam
from absl import logging
from tfx.dsl.io import fileio

from components import staging
from components.audio_example_gen.plan import MakePlan
from components.audio_example_gen.plan_steps import Rest, pack
from kws.audio import clip as clips
from kws.audio import cut as cuts
from kws.audio import examine, layout, listing, source_yield
from kws.audio.container import Unreadable
from kws.audio.corpus import Corpus
from kws.audio.ingest_summary import INGEST_FILE, check, summarize
from kws.audio.long_recordings import LONG_RECORDINGS_FILE, LongRecordings
from kws.audio.params import IngestParams
from kws.audio.plan import Lost, without_lost
from kws.audio.pseudonym import pseudonym
from kws.audio.quarantine import NOTES_FILE, QUARANTINE_FILE, to_jsonl
from kws.audio.read import Source
from kws.errors import KwsError
from kws.splits import SPLITS

BATCH_FILES = 64
"""Files (or clips) an element: keeps Beam's cost per element out of the sum."""
METRICS = "kws.AudioExampleGen"

T = TypeVar("T")
Batch = list[layout.Word] | list[str]
"""Words, or names of long recordings."""
PlacedCuts = tuple[int, list[cuts.Cut]]
"""(Place, cuts): see `components.records`."""
REST = "rest"
LOST = "lost"
"""The output of clips that could not be made."""


class Ingest(beam.PTransform):
    """From a corpus to `{split: PCollection of serialized tf.Examples in their places}`.

    Writes `quarantine.jsonl`, `notes.jsonl`, `ingest.json` and `long_recordings.json` into the
    artifact's folder.
    With a salt, speakers are hashed (`kws.audio.pseudonym`) once the splits are made. If the corpus
    cannot be learned from, `ingest.json` has a `problem` and no clip is made: an error raised here
    would reach the user as a runner's stack trace.
    """

    def __init__(
        self, corpus: Corpus, params: IngestParams, artifact_folder: str, salt: str | None = None
    ):
        super().__init__()
        self._corpus = corpus
        self._salt = salt
        self._params_json = params.to_json()
        self._artifact_folder = artifact_folder

    def expand(self, pipeline: beam.Pipeline):  # Beam takes no dict of outputs as a type hint.
        planned = pipeline | ExamineAndPlan(self._corpus, self._params_json)
        make = Make(self._corpus, self._params_json)
        made = (
            planned["cuts"]
            | "HashSpeakers" >> beam.Map(hash_speakers, self._salt)
            | "Make" >> beam.ParDo(make).with_outputs(*SPLITS, LOST)
        )
        _ = planned["seen"] | "WriteDown" >> beam.Map(
            write_down,
            beam.pvalue.AsSingleton(planned["tally"]),
            beam.pvalue.AsList(made[LOST]),
            self._corpus,
            self._params_json,
            self._artifact_folder,
        )
        return {split: made[split] for split in SPLITS}


class ExamineAndPlan(beam.PTransform):
    """From a corpus to what `MakePlan` gives: every file is decoded, no clip is made yet."""

    def __init__(self, corpus: Corpus, params_json: str):
        super().__init__()
        self._corpus = corpus
        self._params_json = params_json

    def expand(self, pipeline: beam.Pipeline):  # As `Ingest.expand`.
        understood = (
            pipeline
            | "Corpus" >> beam.Create([self._corpus])
            | "Understand"
            >> beam.FlatMap(understand, self._params_json).with_outputs(REST, main="batches")
        )
        findings = (
            understood.batches
            | "ShuffleFiles" >> beam.Reshuffle()
            | "Examine" >> beam.ParDo(Examine(self._corpus, self._params_json))
        )
        params = IngestParams.from_json(self._params_json)
        return (findings, understood[REST]) | "Plan" >> MakePlan(params, self._corpus)


def understand(corpus: Corpus, params_json: str) -> Iterator[Any]:  # Beam mistakes the union.
    """Lists the files of the corpus and sorts them; a `Batch` of some, and the layout's rest."""
    found = layout.understand_corpus(
        corpus, list_folder, read_text, IngestParams.from_json(params_json)
    )
    yield from batches(found)
    rest = dataclasses.replace(found, words=[])
    expected = source_yield.expected_parts(corpus, fileio.isdir)
    yield beam.pvalue.TaggedOutput(REST, Rest(rest, len(found.words), tuple(expected)))


def list_folder(folder: str) -> listing.Listing:
    """All files below a folder, of this machine or of a store."""
    if not staging.is_url(folder):
        return listing.list_files(folder)
    names = []
    for parent, _, files in fileio.walk(folder):
        inside = os.path.relpath(parent, folder) if parent.rstrip("/") != folder else "."
        names += [file if inside == "." else f"{inside}/{file}" for file in files]
    return listing.of_names(names)


def read_text(path: str) -> str:
    """The content of a list or manifest."""
    with fileio.open(path) as file:
        return file.read()


def batches(understood: layout.Layout) -> Iterator[Batch]:
    """Groups of words, and of names of long recordings, small enough to spread over workers."""
    # One long recording may be two parts of a corpus: once is enough.
    parts = [
        part
        for found in (understood.backgrounds, understood.negatives)
        for split in SPLITS
        for part in found[split]
    ]
    yield from _grouped(understood.words)
    yield from _grouped(sorted({part.path for part in parts}))


class Examine(beam.DoFn):
    """Batches to what was found in their files, packed."""

    def __init__(self, corpus: Corpus, params_json: str):
        self._corpus = corpus
        self._params_json = params_json
        self._files = beam.metrics.Metrics.counter(METRICS, "files_examined")
        self._milliseconds = beam.metrics.Metrics.counter(METRICS, "milliseconds_examined")

    def setup(self) -> None:
        self._params = IngestParams.from_json(self._params_json)

    def process(self, batch: Batch) -> Iterator[bytes]:
        words = [item for item in batch if isinstance(item, layout.Word)]
        found = [
            self._look_at_word(item.name)
            if isinstance(item, layout.Word)
            else self._look_at_long(item)
            for item in batch
        ]
        self._files.inc(len(found))
        self._milliseconds.inc(round(sum(finding.duration_ms for finding in found)))
        for finding in found:
            if finding.reason:
                beam.metrics.Metrics.counter(METRICS, f"quarantined_{finding.reason}").inc()
        yield pack(words, found)

    def _look_at_word(self, name: str) -> examine.Finding:
        try:
            source = staging.short_recording(self._corpus.path_of(name))
        except Unreadable as error:
            return examine.Finding(name, reason=error.reason, detail=error.detail)
        return examine.examine_word(name, source, self._params)

    def _look_at_long(self, name: str) -> examine.Finding:
        with staging.long_recording(self._corpus.path_of(name)) as source:
            found = examine.examine_long(name, source, self._params)
            return dataclasses.replace(found, size_bytes=_size_bytes(source))


def write_down(
    seen: Any, tally: Any, lost: Any, corpus: Corpus, params_json: str, artifact_folder: str
) -> None:
    """Writes what was decided, and why; and what of it could not be done."""
    params = IngestParams.from_json(params_json)
    found, problem = seen.overview, seen.problem
    if lost:
        found, tally = without_lost(found, tally, lost)
        try:
            check(found, params)
        except KwsError as error:
            problem = {"message": error.message, "hint": error.hint}
    summary = summarize(found, tally, seen.notes, params)
    if problem:
        summary["problem"] = problem
    fileio.makedirs(artifact_folder)
    _write(os.path.join(artifact_folder, NOTES_FILE), seen.notes.to_jsonl())
    _write(os.path.join(artifact_folder, QUARANTINE_FILE), to_jsonl(found.quarantine))
    _write(os.path.join(artifact_folder, INGEST_FILE), json.dumps(summary, indent=2) + "\n")
    long = LongRecordings.of_plan(found, corpus)
    _write(os.path.join(artifact_folder, LONG_RECORDINGS_FILE), long.to_json())
    if params.silence_percentage and not any(found.backgrounds.values()) and not problem:
        logging.warning(
            "No background recordings (%s/): _silence_ clips are quiet white noise",
            layout.BACKGROUND_FOLDER,
        )


def hash_speakers(placed: PlacedCuts, salt: str | None) -> PlacedCuts:
    """The same with pseudonyms, if there is a salt."""
    place, some = placed
    if salt is None:
        return placed
    return place, [dataclasses.replace(c, speaker=pseudonym(c.speaker, salt)) for c in some]


class Make(beam.DoFn):
    """Batches of cuts to serialized clips in the same places, each tagged with its split.

    If a recording that passed examination can no longer be read (it was changed, or its disk
    fails), the run continues and the clip is tagged as lost.
    """

    def __init__(self, corpus: Corpus, params_json: str):
        self._corpus = corpus
        self._params_json = params_json
        self._counters = {
            split: beam.metrics.Metrics.counter(METRICS, f"clips_{split}") for split in SPLITS
        }
        self._lost = beam.metrics.Metrics.counter(METRICS, "clips_lost")

    def setup(self) -> None:
        self._params = IngestParams.from_json(self._params_json)

    def process(self, placed: PlacedCuts) -> Iterator[beam.pvalue.TaggedOutput]:
        place, batch = placed
        for cut in batch:
            try:
                clip = self._make(cut)
            except Unreadable as error:
                logging.warning("%s is left out: %s", cut.name, error)
                self._lost.inc()
                yield beam.pvalue.TaggedOutput(LOST, Lost(cut, error.reason, error.detail))
                continue
            self._counters[cut.split].inc()
            yield beam.pvalue.TaggedOutput(cut.split, (place, clips.encode(clip)))

    def _make(self, cut: cuts.Cut) -> clips.Clip:
        if not cut.name:
            return cuts.make(cut, None, self._params)
        path = self._corpus.path_of(cut.name)
        if not cut.starts_ms:
            return cuts.make(cut, staging.short_recording(path), self._params)
        with staging.long_recording(path) as source:
            return cuts.make(cut, source, self._params)


def _size_bytes(source: Source) -> int:
    """Of a recording's file; 0 where it cannot be told."""
    try:
        if isinstance(source, str | os.PathLike):
            return os.path.getsize(source)
        return source.seek(0, os.SEEK_END)
    except OSError:
        return 0


def _grouped(items: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), BATCH_FILES):
        yield items[start : start + BATCH_FILES]


def _write(path: str, text: str) -> None:
    with fileio.open(path, "w") as file:
        file.write(text)
