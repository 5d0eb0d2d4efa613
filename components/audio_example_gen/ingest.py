"""The Beam side of ingestion: list, examine every file, plan once, make the chosen clips.

    names ─┬─ batches ── examine (decode, hash) ── findings ─┐
           └─ layout of long recordings ─────────────────────┴─ plan ── batches of cuts ── clips

Files are read twice. That is cheaper than to carry the audio of all files through the one step
that must see everything, where duplicates are found and the exact shares are drawn: only names and
hashes go there, in elements of 64 files. It is one worker that they go to; docs/scale.md says how
many that may be.
"""

import dataclasses
import json
import os
import pickle
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import apache_beam as beam
from absl import logging
from tfx.dsl.io import fileio

from components import staging
from kws.audio import clip as clips
from kws.audio import cut as cuts
from kws.audio import examine, layout
from kws.audio.corpus import Corpus
from kws.audio.ingest_summary import INGEST_FILE, check, summarize
from kws.audio.long_recordings import LONG_RECORDINGS_FILE, LongRecordings
from kws.audio.params import IngestParams
from kws.audio.plan import make_plan
from kws.audio.pseudonym import pseudonym
from kws.audio.quarantine import QUARANTINE_FILE, to_jsonl
from kws.errors import KwsError
from kws.splits import SPLITS

BATCH_FILES = 64
"""Files (or clips) an element: keeps Beam's cost per element out of the sum."""
METRICS = "kws.AudioExampleGen"

T = TypeVar("T")
Batch = list[layout.Word] | list[str]
"""Words, or names of long recordings."""
REST = "rest"


class Ingest(beam.PTransform):
    """From a corpus to `{split: PCollection of serialized tf.Examples}`.

    Writes `quarantine.jsonl`, `ingest.json` and `long_recordings.json` into the artifact's folder.
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
        made = (
            pipeline
            | "Once" >> beam.Create([self._artifact_folder], reshuffle=False)
            | "Plan"
            >> beam.FlatMap(
                plan,
                beam.pvalue.AsIter(findings),
                beam.pvalue.AsSingleton(understood[REST]),
                self._corpus,
                self._params_json,
                self._salt,
            )
            | "ShuffleCuts" >> beam.Reshuffle()
            | "Make" >> beam.ParDo(Make(self._corpus, self._params_json)).with_outputs(*SPLITS)
        )
        return {split: made[split] for split in SPLITS}


def understand(corpus: Corpus, params_json: str) -> Iterator[Any]:  # Beam mistakes the union.
    """Lists the files of the corpus and sorts them; a `Batch` of some, and the layout's rest."""
    found = layout.understand_corpus(
        corpus, list_names, read_text, IngestParams.from_json(params_json)
    )
    yield from batches(found)
    yield beam.pvalue.TaggedOutput(REST, dataclasses.replace(found, words=[]))


def list_names(folder: str) -> list[str]:
    """Names of all files below a folder, relative to it."""
    names = []
    for parent, _, files in fileio.walk(folder):
        inside = os.path.relpath(parent, folder) if parent.rstrip("/") != folder else "."
        names += [file if inside == "." else f"{inside}/{file}" for file in files]
    return names


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
    """Batches to (the words in them, what was found in each file), pickled.

    Beam keeps and copies what the plan reads: bytes take a third.
    """

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
        yield pickle.dumps((words, found), pickle.HIGHEST_PROTOCOL)

    def _look_at_word(self, name: str) -> examine.Finding:
        source = staging.short_recording(self._corpus.path_of(name))
        return examine.examine_word(name, source, self._params)

    def _look_at_long(self, name: str) -> examine.Finding:
        with staging.long_recording(self._corpus.path_of(name)) as source:
            return examine.examine_long(name, source, self._params)


def plan(
    artifact_folder: str,
    examined: Iterable[bytes],
    rest: layout.Layout,
    corpus: Corpus,
    params_json: str,
    salt: str | None,
) -> Iterator[list[cuts.Cut]]:
    """Decides everything, writes down why, and gives out the work."""
    params = IngestParams.from_json(params_json)
    words: list[layout.Word] = []
    findings: list[examine.Finding] = []
    for batch in examined:
        some, found = pickle.loads(batch)
        words += some
        findings += found
    words.sort(key=lambda word: word.name)
    decided = make_plan(dataclasses.replace(rest, words=words), findings, params)
    summary = summarize(decided, params)
    try:
        check(decided, params)
    except KwsError as error:
        summary["problem"] = {"message": error.message, "hint": error.hint}
    fileio.makedirs(artifact_folder)
    _write(os.path.join(artifact_folder, QUARANTINE_FILE), to_jsonl(decided.quarantine))
    _write(os.path.join(artifact_folder, INGEST_FILE), json.dumps(summary, indent=2) + "\n")
    long = LongRecordings.of_plan(decided, corpus)
    _write(os.path.join(artifact_folder, LONG_RECORDINGS_FILE), long.to_json())
    if "problem" in summary:
        return
    if params.silence_percentage and not any(decided.backgrounds.values()):
        logging.warning(
            "No background recordings (%s/): _silence_ clips are quiet white noise",
            layout.BACKGROUND_FOLDER,
        )
    if salt is None:
        yield from _grouped(decided.cuts)
        return
    hashed = [dataclasses.replace(c, speaker=pseudonym(c.speaker, salt)) for c in decided.cuts]
    yield from _grouped(hashed)


class Make(beam.DoFn):
    """Batches of cuts to serialized clips, each tagged with its split."""

    def __init__(self, corpus: Corpus, params_json: str):
        self._corpus = corpus
        self._params_json = params_json
        self._counters = {
            split: beam.metrics.Metrics.counter(METRICS, f"clips_{split}") for split in SPLITS
        }

    def setup(self) -> None:
        self._params = IngestParams.from_json(self._params_json)

    def process(self, batch: list[cuts.Cut]) -> Iterator[beam.pvalue.TaggedOutput]:
        for cut in batch:
            clip = self._make(cut)
            self._counters[cut.split].inc()
            yield beam.pvalue.TaggedOutput(cut.split, clips.encode(clip))

    def _make(self, cut: cuts.Cut) -> clips.Clip:
        if not cut.name:
            return cuts.make(cut, None, self._params)
        path = self._corpus.path_of(cut.name)
        if not cut.starts_ms:
            return cuts.make(cut, staging.short_recording(path), self._params)
        with staging.long_recording(path) as source:
            return cuts.make(cut, source, self._params)


def _grouped(items: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), BATCH_FILES):
        yield items[start : start + BATCH_FILES]


def _write(path: str, text: str) -> None:
    with fileio.open(path, "w") as file:
        file.write(text)
