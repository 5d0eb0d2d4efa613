"""A mix: recordings from several places, or of other kinds than one folder, as one corpus.

The folder of a mix holds one file, `sources.json` (`kws.corpus.folders`): which folders belong
to it, each with a fingerprint of its files. It is written anew when one of them has changed, so
that TFX's own driver, which looks at this file, starts a new ingestion then and only then. Where a
source grows by spans, the file lies in `span-<number>/`, and the driver finds the span as it always
does.
"""

import dataclasses
import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from kws import storage
from kws.corpus import layout
from kws.corpus.digests import fingerprint
from kws.corpus.folders import SOURCES_FILE, Corpus, Folder
from kws.corpus.fragment import parse
from kws.corpus.listing import list_files, read_text
from kws.corpus.manifest import read_manifest
from kws.corpus.source_yield import refuse_empty
from kws.corpus.sources import names_of
from kws.corpus.spans import Span
from kws.errors import KwsError
from kws.labels import refuse_near_matches
from pipeline.config import Config
from pipeline.progress import Progress
from pipeline.resolve import resolve

SPAN_FOLDER = "span-{SPAN}"
VERSION_FOLDER = "version-{VERSION}"
WORDS_SHOWN = 40
_NOT_OF_RECORDINGS: Any = {
    "licence": True,
    "corpora_table": True,
    "allow_non_commercial": True,
    "allow_research_only": True,
    "sources": {"__all__": {"licence", "terms"}},
}


def folder_of(config: Config) -> Path:
    """The folder of the mix, which `prepare` writes; named after the configuration of the data."""
    values = config.data.model_dump(exclude=_NOT_OF_RECORDINGS)
    # Paths as a whole: the same recordings are the same mix, whatever folder a run starts in.
    text = json.dumps(values, default=os.path.abspath)
    if any(source.voices for source in config.data.all_sources):
        text += config.voices.to_json()
    return storage.cache_root() / "mixes" / hashlib.sha256(text.encode()).hexdigest()[:16]


def span_folder_of(config: Config) -> str:
    """Pattern of the folders in a mix, for TFX's driver; "" where no source has spans."""
    patterns = [source.span_folder for source in config.data.all_sources if source.span_folder]
    if any("{VERSION" in pattern for pattern in patterns):
        return f"{SPAN_FOLDER}/{VERSION_FOLDER}"
    return SPAN_FOLDER if patterns else ""


def prepare(config: Config, workers: int, progress: Progress | None = None) -> Path:
    """Loads, unpacks and synthesizes what is not there yet, looks at every folder, and writes
    `sources.json` if anything has changed.

    Raises:
      KwsError: a place is missing or empty, an archive unsafe, a manifest wrong, a keyword said
        nowhere, or a word looks like a keyword and is not.
    """
    folders, newest = gather(config, workers, progress)
    corpus = Corpus(tuple(folders))
    _check_keywords(corpus, config)
    folder = folder_of(config)
    place = span_folder_of(config)
    if newest:
        place = place.replace("{SPAN}", str(newest.number))
        place = place.replace("{VERSION}", str(newest.version))
    with storage.lock(
        folder.with_name(f".{folder.name}.lock"), "an update of the list of recordings"
    ):
        _write(folder, folder / place / SOURCES_FILE, corpus.to_json())
    return folder


def gather(
    config: Config, workers: int, progress: Progress | None = None
) -> tuple[list[Folder], Span | None]:
    """Every folder of the mix with its fingerprint, and the newest span of any source.

    Raises:
      KwsError: see `prepare`.
    """
    sources = config.data.all_sources
    resolved = [
        resolve(name, source, config, workers, progress)
        for name, source in zip(names_of(sources), sources, strict=True)
    ]
    folders = [with_fingerprint(folder) for found in resolved for folder in found.folders]
    return folders, max((found.newest for found in resolved if found.newest), default=None)


def with_fingerprint(folder: Folder) -> Folder:
    """The folder with the fingerprint of its files as they are now."""
    names = files_of(folder)
    return dataclasses.replace(folder, fingerprint=fingerprint(Path(folder.path), names))


def files_of(folder: Folder) -> list[str]:
    """Names of the files that belong to a folder, relative to it."""
    path = Path(folder.path)
    if folder.kind == "corpus":
        return [folder.manifest]  # It lists the others, which nobody changes.
    if folder.kind != "manifest":
        return list_files(path).files
    text = read_text(path / folder.manifest)
    listed = read_manifest(text, folder.manifest).words
    return [folder.manifest, *{parse(name).path for name in listed}]


def _check_keywords(corpus: Corpus, config: Config) -> None:
    understood = layout.understand_corpus(corpus, list_files, read_text, config.ingest)
    found = {word.word: word.name for word in understood.words}
    refuse_near_matches(found, config.keywords)
    refuse_empty(corpus, understood, os.path.isdir, config.keywords)
    words = sorted(found)
    missing = [keyword for keyword in config.keywords if keyword not in words]
    if missing and config.ingest.require_every_keyword:
        more = ", …" if len(words) > WORDS_SHOWN else ""
        raise KwsError(
            f"no recordings for keyword {', '.join(missing)} in any of the sources "
            f"{', '.join(dict.fromkeys(folder.source for folder in corpus.folders))}",
            hint=f"words found: {', '.join(words[:WORDS_SHOWN]) or 'none'}{more}",
        )


def _write(folder: Path, file: Path, text: str) -> None:
    """Writes a changed file, and leaves no file of a span that is not the newest any more."""
    for other in list(folder.glob(f"**/{SOURCES_FILE}")):
        if other != file:
            shutil.rmtree(other.parent)
    if file.is_file() and file.read_text() == text:
        return
    # TFX's driver sees whole seconds: a change within one would be none, as the size is the same.
    before_s = int(file.stat().st_mtime) if file.is_file() else 0
    with storage.atomic_file(file) as temporary:
        temporary.write_text(text)
        now_s = max(time.time(), before_s + 1)
        os.utime(temporary, (now_s, now_s))
