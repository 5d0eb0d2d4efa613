"""The facts that a plan rests on: usable clips as columns, the few other files as objects.

A clip takes some 210 bytes, of which 128 are the audio fingerprint: five million are a gigabyte.
"""

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kws.corpus import audio_fingerprint
from kws.corpus.inspect import FileReport
from kws.corpus.layout import Word
from kws.corpus.quarantine import NoteTally, Quarantined
from kws.splits import SPLITS, Split

_NO_FINGERPRINT = bytes(4 * audio_fingerprint.SIZE)
_SCHEMA = pa.schema(
    [
        ("name", pa.large_string()),
        ("word", pa.string()),
        ("speaker", pa.string()),
        ("source", pa.string()),
        ("split", pa.int8()),
        ("duration_ms", pa.float64()),
        ("digest", pa.binary(16)),
        ("fingerprint", pa.binary(len(_NO_FINGERPRINT))),
    ]
)
_ROWS_AT_ONCE = 1 << 12

InspectedBatch = tuple[Sequence[Word], Sequence[FileReport]]
"""Words, and the reports on their files and on any long recordings, in any order."""


class Categories(NamedTuple):
    """A column of strings that repeat.

    Attributes:
      values: the distinct ones.
      codes: int32 `[rows]`, indices of `values`.
    """

    values: pa.StringArray
    codes: np.ndarray

    def of_rows(self, rows: np.ndarray) -> list[str]:
        """The strings in some rows."""
        return self.values.take(pa.array(self.codes[rows])).to_pylist()

    def isin(self, some: Collection[str]) -> np.ndarray:
        """bool `[rows]`: which rows hold one of some values."""
        return np.array([value in some for value in self.values.to_pylist()], bool)[self.codes]


@dataclasses.dataclass(frozen=True, eq=False)
class ClipTable:
    """Usable recordings of words, a row each, in the order of their names.

    Attributes:
      names: of the files (`kws.corpus.layout.Word`).
      words: that the recordings say.
      speakers: who say them.
      sources: that they are from.
      splits: int8 `[rows]`, indices of `SPLITS`.
      durations_ms: float64 `[rows]`.
      digests: int32 `[rows]`: equal for equal samples, -1 for digital silence.
      fingerprints: float32 `[rows, 32]`, zeros where there is none (`audio_fingerprint`).
    """

    names: pa.LargeStringArray
    words: Categories
    speakers: Categories
    sources: Categories
    splits: np.ndarray
    durations_ms: np.ndarray
    digests: np.ndarray
    fingerprints: np.ndarray

    def __len__(self) -> int:
        return len(self.splits)

    def names_of_rows(self, rows: np.ndarray) -> list[str]:
        """The names in some rows."""
        return self.names.take(pa.array(rows)).to_pylist()

    def count_by_split(self, column: Categories, some: np.ndarray) -> Counter[tuple[str, Split]]:
        """How many rows have each value of a column in each split, where `some` (bool `[rows]`)."""
        pairs = column.codes[some].astype(np.int64) * len(SPLITS) + self.splits[some]
        codes, counts = np.unique(pairs, return_counts=True)
        values = column.values.take(pa.array(codes // len(SPLITS))).to_pylist()
        splits = (SPLITS[code] for code in codes % len(SPLITS))
        return Counter(dict(zip(zip(values, splits, strict=True), counts.tolist(), strict=True)))

    def iter_names(self, rows: np.ndarray) -> Iterator[str]:
        """The names in many rows, without all of them in memory as Python strings."""
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            yield from self.names_of_rows(rows[first : first + _ROWS_AT_ONCE])


@dataclasses.dataclass(frozen=True, eq=False)
class CorpusReport:
    """What inspecting every file of a corpus found.

    Attributes:
      clips: the usable recordings of words.
      unusable_words: the others.
      long_recordings: the reports on long recordings, usable or not, by name.
      notes: on the usable files.
      files: how many were inspected.
    """

    clips: ClipTable
    unusable_words: list[tuple[Word, FileReport]]
    long_recordings: dict[str, FileReport]
    notes: NoteTally
    files: int

    @property
    def unusable(self) -> list[Quarantined]:
        """The files that cannot be used, for themselves."""
        reports = [report for _, report in self.unusable_words]
        reports += [report for report in self.long_recordings.values() if report.reason]
        return [Quarantined(report.name, report.reason, report.detail) for report in reports]


def gather(batches: Iterable[InspectedBatch]) -> CorpusReport:
    """Collects the reports on all files; their order makes no difference.

    Args:
      batches: every word once, with its report; the reports on long recordings in any of them.
    """
    chunks: list[pa.RecordBatch] = []
    rows: list[tuple[Word, FileReport]] = []
    unusable: list[tuple[Word, FileReport]] = []
    long_recordings: dict[str, FileReport] = {}
    notes = NoteTally()
    files = 0
    for words, reports in batches:
        files += len(reports)
        by_name = {report.name: report for report in reports}
        for report in reports:
            notes.add(report.name, report.notes)
        for word in words:
            report = by_name.pop(word.name)
            (unusable if report.reason else rows).append((word, report))
        long_recordings.update(by_name)
        if len(rows) >= _ROWS_AT_ONCE:
            chunks.append(_to_columns(rows))
            rows = []
    table = pa.Table.from_batches([*chunks, _to_columns(rows)])
    chunks.clear()
    unusable.sort(key=lambda pair: pair[0].name)
    return CorpusReport(
        _to_clip_table(table), unusable, dict(sorted(long_recordings.items())), notes, files
    )


def _to_columns(rows: Sequence[tuple[Word, FileReport]]) -> pa.RecordBatch:
    columns = (
        [word.name for word, _ in rows],
        [word.word for word, _ in rows],
        [word.speaker for word, _ in rows],
        [word.source for word, _ in rows],
        [SPLITS.index(word.split) for word, _ in rows],
        [report.duration_ms for _, report in rows],
        [report.digest or None for _, report in rows],
        [report.fingerprint or _NO_FINGERPRINT for _, report in rows],
    )
    arrays = [pa.array(c, kind) for c, kind in zip(columns, _SCHEMA.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)


def _to_clip_table(table: pa.Table) -> ClipTable:
    by_name = pc.sort_indices(table["name"])

    def column(name: str) -> pa.Array:
        return table[name].take(by_name).combine_chunks()

    def categories(name: str) -> Categories:
        encoded = column(name).dictionary_encode()
        return Categories(encoded.dictionary, encoded.indices.to_numpy())

    fingerprints = column("fingerprint")
    data = np.frombuffer(fingerprints.buffers()[1], np.float32, len(table) * audio_fingerprint.SIZE)
    return ClipTable(
        names=column("name"),
        words=categories("word"),
        speakers=categories("speaker"),
        sources=categories("source"),
        splits=column("split").to_numpy(),
        durations_ms=column("duration_ms").to_numpy(),
        digests=column("digest").dictionary_encode().indices.fill_null(-1).to_numpy(),
        fingerprints=data.reshape(-1, audio_fingerprint.SIZE),
    )
