"""The Beam side of ingestion: list the files, inspect each, plan in one place, make the clips.

    names ─┬─ batches ── inspect (decode, hash) ── reports ─┐
           └─ layout of long recordings ────────────────────┴─ plan ── places of specs ── clips

Audio is read by the workers alone, and twice: that is cheaper than to carry the audio of all files
through the plan (`kws.corpus.plan`), to which only names and hashes go.
"""

import dataclasses
import json
import os
import pickle
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import apache_beam as beam
from absl import logging
from tfx.dsl.io import fileio

from components import staging
from kws.audio import clip as clips
from kws.audio.container import Unreadable
from kws.audio.read import Source
from kws.corpus import clip_spec, inspect, layout, listing, source_yield
from kws.corpus.clip_spec import ClipSpec
from kws.corpus.clip_table import gather
from kws.corpus.folders import Corpus
from kws.corpus.ingest_summary import INGEST_FILE, check, check_plan, summarize
from kws.corpus.long_recordings import LONG_RECORDINGS_FILE, LongRecordings
from kws.corpus.params import IngestParams
from kws.corpus.plan import Lost, Overview, Tally, make_plan, without_lost
from kws.corpus.quarantine import NOTES_FILE, QUARANTINE_FILE, NoteTally, to_jsonl
from kws.corpus.splits import pseudonym
from kws.errors import KwsError
from kws.splits import SPLITS

BATCH_FILES = 64
"""Files an element: keeps Beam's cost per element out of the sum."""
METRICS = "kws.AudioExampleGen"

T = TypeVar("T")
Batch = list[layout.Word] | list[str]
"""Words, or names of long recordings."""
SHARDS = 256
"""Parts in which the reports reach the plan: Beam sends each as one message, of 2 GB at most."""
LISTED = "listed"
"""The output of what the names say."""
DECISION = "decision"
"""The output of what was decided."""
LOST = "lost"
"""The output of clips that could not be made."""


class Ingest(beam.PTransform):
    """From a corpus to `{split: PCollection of serialized tf.Examples in their places}`.

    Writes `quarantine.jsonl`, `notes.jsonl`, `ingest.json` and `long_recordings.json` into the
    artifact's folder.
    With a salt, speakers are hashed (`kws.corpus.splits`) once the splits are made. If the corpus
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
        corpus, params = self._corpus, self._params_json
        listed = (
            pipeline
            | "Corpus" >> beam.Create([corpus])
            | "List" >> beam.FlatMap(list_corpus, params).with_outputs(LISTED, main="batches")
        )
        inspected = (
            listed.batches
            | "ShuffleFiles" >> beam.Reshuffle()
            | "Inspect" >> beam.ParDo(Inspect(corpus, params))
        )
        planned = listed[LISTED] | "Plan" >> beam.FlatMap(
            plan_places, beam.pvalue.AsMultiMap(inspected), corpus, params
        ).with_outputs(DECISION, main="places")
        made = (
            planned.places
            | "ShufflePlaces" >> beam.Reshuffle()
            | "Make" >> beam.ParDo(Make(corpus, params, self._salt)).with_outputs(*SPLITS, LOST)
        )
        _ = planned[DECISION] | "WriteDown" >> beam.Map(
            write_down, beam.pvalue.AsList(made[LOST]), corpus, params, self._artifact_folder
        )
        return {split: made[split] for split in SPLITS}


@dataclasses.dataclass(frozen=True)
class Listed:
    """What the names of a corpus's files say.

    Attributes:
      layout: without its words.
      expected: parts of sources that may not be empty.
    """

    layout: layout.Layout
    expected: tuple[source_yield.SourcePart, ...]


@dataclasses.dataclass(frozen=True)
class Decision:
    """What was decided about a corpus, but for the clips themselves.

    Attributes:
      overview: what there is.
      tally: of the clips; none if there is a problem.
      notes: what is odd about usable files.
      problem: why the corpus cannot be learned from (message and hint), or None.
    """

    overview: Overview
    tally: Tally
    notes: NoteTally
    problem: dict[str, str | None] | None


def list_corpus(corpus: Corpus, params_json: str) -> Iterator[Any]:  # Beam mistakes the union.
    """Lists the files of the corpus and sorts them: packed `Batch`es, and `Listed`."""
    found = layout.understand_corpus(
        corpus, list_folder, read_text, IngestParams.from_json(params_json)
    )
    yield from map(_pack, batches(found))
    expected = source_yield.expected_parts(corpus, fileio.isdir)
    listed = Listed(dataclasses.replace(found, words=[]), tuple(expected))
    yield beam.pvalue.TaggedOutput(LISTED, listed)


def plan_places(
    listed: Listed,
    inspected: Mapping[int, Iterable[bytes]],
    corpus: Corpus,
    params_json: str,
) -> Iterator[Any]:
    """Plans in one place what is then made in many: the `Decision`, and (place, packed clips).

    Args:
      listed: the corpus by its names.
      inspected: what `Inspect` gives, by shard.
      corpus: its folders.
      params_json: of `IngestParams`.
    """
    report = gather(pickle.loads(batch) for shard in range(SHARDS) for batch in inspected[shard])
    plan = make_plan(listed.layout, report, IngestParams.from_json(params_json))
    try:
        check_plan(plan, listed.layout, report, corpus, listed.expected)
    except KwsError as error:
        problem = {"message": error.message, "hint": error.hint}
        decision = Decision(plan.overview, Tally(), report.notes, problem)
        yield beam.pvalue.TaggedOutput(DECISION, decision)
        return
    decision = Decision(plan.overview, plan.tally(), report.notes, None)
    yield beam.pvalue.TaggedOutput(DECISION, decision)
    for place, specs in plan.places():
        yield place, _pack(specs)


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


class Inspect(beam.DoFn):
    """Packed batches of names to (shard, packed `kws.corpus.clip_table.InspectedBatch`)."""

    def __init__(self, corpus: Corpus, params_json: str):
        self._corpus = corpus
        self._params_json = params_json
        self._files = beam.metrics.Metrics.counter(METRICS, "files_inspected")
        self._milliseconds = beam.metrics.Metrics.counter(METRICS, "milliseconds_inspected")

    def setup(self) -> None:
        self._params = IngestParams.from_json(self._params_json)

    def process(self, packed: bytes) -> Iterator[tuple[int, bytes]]:
        batch: Batch = pickle.loads(packed)
        words = [item for item in batch if isinstance(item, layout.Word)]
        reports = [
            self._inspect_word(item.name)
            if isinstance(item, layout.Word)
            else self._inspect_long_recording(item)
            for item in batch
        ]
        self._files.inc(len(reports))
        self._milliseconds.inc(round(sum(report.duration_ms for report in reports)))
        for report in reports:
            if report.reason:
                beam.metrics.Metrics.counter(METRICS, f"quarantined_{report.reason}").inc()
        yield zlib.crc32(packed) % SHARDS, _pack((words, reports))

    def _inspect_word(self, name: str) -> inspect.FileReport:
        try:
            source = staging.short_recording(self._corpus.path_of(name))
        except Unreadable as error:
            return inspect.FileReport(name, reason=error.reason, detail=error.detail)
        return inspect.inspect_word(name, source, self._params)

    def _inspect_long_recording(self, name: str) -> inspect.FileReport:
        with staging.long_recording(self._corpus.path_of(name)) as source:
            report = inspect.inspect_long_recording(name, source, self._params)
            return dataclasses.replace(report, size_bytes=_size_bytes(source))


def write_down(
    decision: Decision, lost: Any, corpus: Corpus, params_json: str, artifact_folder: str
) -> None:
    """Writes what was decided, and why; and what of it could not be done."""
    params = IngestParams.from_json(params_json)
    found, tally, problem = decision.overview, decision.tally, decision.problem
    if lost:
        found, tally = without_lost(found, tally, lost)
        try:
            check(found, params)
        except KwsError as error:
            problem = {"message": error.message, "hint": error.hint}
    summary = summarize(found, tally, decision.notes, params)
    if problem:
        summary["problem"] = problem
    fileio.makedirs(artifact_folder)
    _write(os.path.join(artifact_folder, NOTES_FILE), decision.notes.to_jsonl())
    _write(os.path.join(artifact_folder, QUARANTINE_FILE), to_jsonl(found.quarantine))
    _write(os.path.join(artifact_folder, INGEST_FILE), json.dumps(summary, indent=2) + "\n")
    long = LongRecordings.of_plan(found, corpus)
    _write(os.path.join(artifact_folder, LONG_RECORDINGS_FILE), long.to_json())
    if params.silence_percentage and not any(found.backgrounds.values()) and not problem:
        logging.warning(
            "No background recordings (%s/): _silence_ clips are quiet white noise",
            layout.BACKGROUND_FOLDER,
        )


class Make(beam.DoFn):
    """Packed places of specs to serialized clips in the same places, each tagged with its split.

    If a recording that passed inspection can no longer be read (it was changed, or its disk
    fails), the run continues and the clip is tagged as lost.
    """

    def __init__(self, corpus: Corpus, params_json: str, salt: str | None):
        self._corpus = corpus
        self._params_json = params_json
        self._salt = salt
        self._counters = {
            split: beam.metrics.Metrics.counter(METRICS, f"clips_{split}") for split in SPLITS
        }
        self._lost = beam.metrics.Metrics.counter(METRICS, "clips_lost")

    def setup(self) -> None:
        self._params = IngestParams.from_json(self._params_json)

    def process(self, placed: tuple[int, bytes]) -> Iterator[beam.pvalue.TaggedOutput]:
        place, packed = placed
        for spec in pickle.loads(packed):
            try:
                clip = self._make(spec)
            except Unreadable as error:
                logging.warning("%s is left out: %s", spec.name, error)
                self._lost.inc()
                yield beam.pvalue.TaggedOutput(LOST, Lost(spec, error.reason, error.detail))
                continue
            self._counters[spec.split].inc()
            yield beam.pvalue.TaggedOutput(spec.split, (place, clips.encode(clip)))

    def _make(self, spec: ClipSpec) -> clips.Clip:
        if self._salt is not None:
            spec = dataclasses.replace(spec, speaker=pseudonym(spec.speaker, self._salt))
        if not spec.name:
            return clip_spec.make_clip(spec, None, self._params)
        path = self._corpus.path_of(spec.name)
        if not spec.starts_ms:
            return clip_spec.make_clip(spec, staging.short_recording(path), self._params)
        with staging.long_recording(path) as source:
            return clip_spec.make_clip(spec, source, self._params)


def _size_bytes(source: Source) -> int:
    """Of a recording's file; 0 where it cannot be told."""
    try:
        if isinstance(source, str | os.PathLike):
            return os.path.getsize(source)
        return source.seek(0, os.SEEK_END)
    except OSError:
        return 0


def _pack(items: Any) -> bytes:
    """Beam keeps and copies elements; as bytes they take a third of the memory."""
    return pickle.dumps(items, pickle.HIGHEST_PROTOCOL)


def _grouped(items: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), BATCH_FILES):
        yield items[start : start + BATCH_FILES]


def _write(path: str, text: str) -> None:
    with fileio.open(path, "w") as file:
        file.write(text)
