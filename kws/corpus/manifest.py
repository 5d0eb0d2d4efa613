"""Manifest: a CSV or JSONL file that says what is said in which recording, when, and by whom.

    path,label,speaker,start_ms,end_ms,split
    meeting/monday.wav,toaster,anna,81250,82100,
    meeting/monday.wav,_unknown_,ben,90000,90900,
    clips/17.flac,toaster,ben,,,test

`path` (relative to the manifest) and `label` (a word, or `_unknown_` for one that is no keyword)
are needed. Without `speaker` all of one recording is one speaker's; without times it is one clip;
`split` (train, eval, test) is said where it is known. Other columns are passed over.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from kws.corpus import fragment
from kws.corpus.contents import Contents, Spoken
from kws.corpus.listing import escape
from kws.corpus.splits import speaker_of
from kws.errors import KwsError
from kws.labels import UNKNOWN, canonical
from kws.splits import SPLITS, Split

SUFFIXES = (".csv", ".tsv", ".jsonl")
REQUIRED = ("path", "label")
OPTIONAL = ("speaker", "start_ms", "end_ms", "split")
_COLUMNS = (*REQUIRED, *OPTIONAL)
_TIMES = ("start", "end", "begin", "stop", "duration", "offset")
"""A column that begins like these and is not one of ours is a time in a unit nobody asked for."""

Row = dict[str, Any]


class _BadRow(Exception):
    """(reason, detail) of a row that cannot be used."""


def read_manifest(text: str, file_name: str) -> Contents:
    """What a manifest lists.

    A row that cannot be used is misplaced, under the name `<file name>:<line>`: `path_escapes` for
    a path out of the manifest's folder, else `manifest_row`.

    Args:
      text: of the manifest.
      file_name: its name; the suffix says which format it has.

    Raises:
      KwsError: a needed column is missing, or there is a time without its unit.
    """
    found = Contents()
    lines: dict[str, int] = {}
    for number, row in _rows(text, file_name):
        try:
            if isinstance(row, str):
                raise _BadRow("manifest_row", row)
            name, spoken, split = _understand(row)
            if name in lines:
                raise _BadRow("manifest_row", f"the same part of {name} as line {lines[name]}")
        except _BadRow as bad:
            reason, detail = bad.args
            found.misplaced[f"{file_name}:{number}"] = (reason, detail)
            continue
        lines[name] = number
        found.words[name] = spoken
        if split:
            found.listed[name] = split
    return found


def _rows(text: str, file_name: str) -> Iterator[tuple[int, Row | str]]:
    """Line numbers and rows; a sentence instead of a row that cannot be parsed."""
    text = text.removeprefix("\ufeff")
    if not file_name.lower().endswith(".jsonl"):
        delimiter = "\t" if file_name.lower().endswith(".tsv") else ","
        table = csv.DictReader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
        names = _header(table, file_name)
        _check_header(names, file_name)
        table.fieldnames = names
        for row in _read(table, file_name):
            surplus = row.pop(None, None)  # type: ignore[call-overload]  # csv's key for the rest
            yield (
                table.line_num,
                f"{len(surplus)} values more than the header names" if surplus else row,
            )
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # the latter of brackets within brackets
            yield number, f"no JSON: {error}"
            continue
        if not isinstance(row, dict):
            yield number, f"no JSON object but {type(row).__name__}"
            continue
        _check_header([name for name in row if name not in REQUIRED] + [*REQUIRED], file_name)
        yield number, row


def _header(table: csv.DictReader, file_name: str) -> list[str]:
    try:
        return [(name or "").strip() for name in table.fieldnames or ()]
    except csv.Error as error:
        raise _no_table(error, 1, file_name) from None


def _read(table: csv.DictReader, file_name: str) -> Iterator[Row]:
    try:
        yield from table
    except csv.Error as error:
        raise _no_table(error, table.line_num + 1, file_name) from None


def _no_table(error: csv.Error, line: int, file_name: str) -> KwsError:
    return KwsError(
        f"{file_name}, line {line}: {error}",
        hint="a cell has at most 131,072 characters, and a quote that is opened is closed",
    )


def _check_header(names: list[str], file_name: str) -> None:
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise KwsError(
            f"{file_name} has no column {' and no column '.join(missing)}: its first line is "
            f"{', '.join(names) or 'empty'}",
            hint=f"the columns are {', '.join(REQUIRED)}, and if you like {', '.join(OPTIONAL)}",
        )
    for name in names:
        if name not in _COLUMNS and name.lower().startswith(_TIMES):
            raise KwsError(
                f"{file_name}: column {name!r} would be passed over, and it looks like a time",
                hint="times are in milliseconds, in the columns start_ms and end_ms",
            )


def _understand(row: Row) -> tuple[str, Spoken, Split | None]:
    label = canonical(_text(row, "label"))
    if (label.startswith("_") and label != UNKNOWN) or "/" in label:
        raise _BadRow("manifest_row", f"label {label!r} is no word (nor {UNKNOWN})")
    path = _text(row, "path").replace("\\", "/")
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "://" in path or path[1:2] == ":":
        raise _BadRow("path_escapes", f"{path} is not below the manifest's folder")
    split_text = _text(row, "split", needed=False)
    split = next((split for split in SPLITS if split == split_text), None)
    if split_text and split is None:
        raise _BadRow("manifest_row", f"split {split_text!r} is none of {', '.join(SPLITS)}")
    start_ms, end_ms = _time(row, "start_ms"), _time(row, "end_ms")
    try:
        name = fragment.to_name(fragment.Fragment(str(pure), start_ms or 0.0, end_ms))
    except ValueError as error:
        raise _BadRow("manifest_row", str(error)) from None
    by_name = speaker_of(path) if "_nohash_" in path else str(pure.with_suffix(""))
    speaker = canonical(_text(row, "speaker", needed=False))
    return name, Spoken(label, speaker or canonical(by_name)), split


def _text(row: Row, column: str, needed: bool = True) -> str:
    value = row.get(column)
    text = "" if value is None else str(value).strip()
    if needed and not text:
        raise _BadRow("manifest_row", f"{column} is missing")
    if escape(text) != text:
        raise _BadRow("manifest_row", f"{column} {escape(text)} is not text")
    return text


def _time(row: Row, column: str) -> float | None:
    text = _text(row, column, needed=False)
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise _BadRow("manifest_row", f"{column}={text!r} is no number of milliseconds") from None
