"""Fetched corpora in the cache: loaded, checked, unpacked and indexed once, for all runs.

In the cache there are

    <cache>/downloads/<checksum>-<archive>     the archive, or what there is of it (`….part`)
    <cache>/corpora/<name>-<checksum>/files/   what came out of it
    <cache>/corpora/<name>-<checksum>/index-1.jsonl
"""

import dataclasses
import hashlib
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

from kws import storage
from kws.corpus import archive, index
from kws.corpus.catalogue import CatalogueEntry, addresses
from kws.corpus.download import Checksum, check_room, download
from kws.corpus.index import FILES_FOLDER
from kws.corpus.layouts import LAYOUTS
from kws.errors import KwsError

Report = Callable[[str, str], "Callable[[int, int], None] | None"]
"""Called with what begins, and its unit (`bytes`, `recordings`); gives what is called with how much
is done and how much there is (0 where that is not known)."""
State = Literal["ready", "loaded", "begun", "absent"]
"""Unpacked and indexed; its archive is there; a part of it is; nothing is."""

UNPACKED_FACTOR = 1.2
"""What comes out of an archive is little larger than it: sound packs badly."""
_DIGITS = 16
_CHUNK_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Check:
    """What `verify` found.

    Attributes:
      problems: sentences; empty where all is well.
      archive: whether the archive is there and was checked.
      files: indexed recordings that are there.
    """

    problems: tuple[str, ...]
    archive: bool
    files: int


class CorpusStore:
    """The corpora of a cache."""

    def __init__(self, cache: Path):
        self._cache = cache

    def folder(self, entry: CatalogueEntry) -> Path:
        """Where the corpus lies once it is fetched."""
        digits = entry.checksum.value[:_DIGITS]
        return self._cache / "corpora" / f"{entry.name}-{digits}"

    def archive(self, entry: CatalogueEntry) -> Path:
        """Where its archive lies."""
        return self._cache / "downloads" / f"{entry.checksum.value[:_DIGITS]}-{entry.file_name}"

    def state(self, entry: CatalogueEntry) -> State:
        """How far it is."""
        if self._is_ready(entry):
            return "ready"
        archive_file = self.archive(entry)
        if archive_file.exists():
            return "loaded"
        part = archive_file.with_name(archive_file.name + ".part")
        return "begun" if part.exists() else "absent"

    def fetch(
        self,
        entry: CatalogueEntry,
        report: Report | None = None,
    ) -> Path:
        """Loads, unpacks and indexes a corpus unless it is there; a second process waits.

        Args:
          entry: which.
          report: see `Report`.

        Returns:
          The folder of the corpus.

        Raises:
          KwsError: no address gives the archive, its checksum is wrong, it cannot be unpacked, the
            disk is full.
        """
        folder = self.folder(entry)
        if self._is_ready(entry):
            return folder
        report = report or (lambda what, unit: None)

        with self._locked(entry):
            if self._is_ready(entry):
                return folder
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / FILES_FOLDER).is_dir():
                file = self._load(entry, report)
                layout = LAYOUTS.get(entry.layout)
                check_room(folder, round(UNPACKED_FACTOR * file.stat().st_size), str(file))
                archive.unpack_to(
                    file,
                    folder / FILES_FOLDER,
                    report(f"Unpacking {entry.name}", "bytes"),
                    wanted=layout.wanted if layout else None,
                )
            if entry.layout in LAYOUTS:
                progress = report(f"Indexing {entry.name}", "recordings")
                index.build(folder, entry.layout, progress)
        return folder

    def words_folder(self, entry: CatalogueEntry) -> Path:
        """The folder in the layout of Speech Commands inside a fetched corpus of words."""
        return archive.corpus_folder(self.folder(entry) / FILES_FOLDER)

    def verify(self, entry: CatalogueEntry, report: Report | None = None) -> Check:
        """Checks the archive against its checksum, and that the indexed files are there."""
        problems = []
        archive_file = self.archive(entry)
        there = archive_file.is_file()
        if there:
            progress = report(f"Checking {entry.name}", "bytes") if report else None
            problems += _differs(archive_file, entry.checksum, progress)
        files, missing, first = 0, 0, ""
        folder = self.folder(entry)
        if index.read_summary(folder) is not None:
            for name in index.names(folder):
                if (folder / name).is_file():
                    files += 1
                    continue
                missing, first = missing + 1, first or name
        if missing:
            problems.append(f"{folder}: {missing} of {files + missing} files are gone: {first}")
        return Check(problems=tuple(problems), archive=there, files=files)

    def remove(self, entry: CatalogueEntry) -> None:
        """Deletes the corpus and its archive."""
        with self._locked(entry):
            shutil.rmtree(self.folder(entry), ignore_errors=True)
            self.archive(entry).unlink(missing_ok=True)

    def _is_ready(self, entry: CatalogueEntry) -> bool:
        folder = self.folder(entry)
        if entry.layout in LAYOUTS:
            return index.read_summary(folder) is not None
        return (folder / FILES_FOLDER).is_dir()

    def _load(self, entry: CatalogueEntry, report: Report) -> Path:
        """The checked archive."""
        urls, file = addresses(entry)
        target = self.archive(entry)
        if target.exists():
            return target
        if file is not None:
            progress = report(f"Checking {entry.name}", "bytes")
            for problem in _differs(file, entry.checksum, progress):
                raise KwsError(problem, hint="it was taken from a folder of archives")
            return file
        return download(
            urls,
            target,
            entry.checksum,
            report(f"Loading {entry.name}", "bytes"),
            room_factor=1 + UNPACKED_FACTOR,
        )

    def _locked(self, entry: CatalogueEntry) -> AbstractContextManager[None]:
        file = self._cache / "corpora" / f".{entry.name}.lock"
        return storage.lock(file, f"the fetching of {entry.name}")


def _differs(
    file: Path, checksum: Checksum, progress: Callable[[int, int], None] | None
) -> list[str]:
    """A sentence where the file's checksum is another."""
    digest, done, total = hashlib.new(checksum.algorithm), 0, file.stat().st_size
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    if digest.hexdigest() == checksum.value:
        return []
    found = digest.hexdigest()
    return [f"{file} is damaged: its {checksum.title} is {found}, not {checksum.value}"]
