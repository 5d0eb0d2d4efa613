"""Resolves what a configuration names to folders on this machine.

That is the recordings of each source, the corpus of synthesized speech, and the first stage of a
cascade.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kws import storage
from kws.bundle.destinations import bundle_folder
from kws.corpus import archive, own_clips, spans
from kws.corpus.download import Checksum, download
from kws.corpus.folders import Folder
from kws.corpus.index import INDEX_FILE
from kws.corpus.layouts import LAYOUTS
from kws.corpus.sources import RemoteArchive, SourceParams
from kws.corpus.spans import Span
from kws.corpus.store import CorpusStore
from kws.detection.cascade import same_frontend
from kws.detection.params import StreamingParams
from kws.errors import KwsError
from kws.features import files
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER, UNKNOWN
from kws.storage import cache_root
from pipeline.config import Config
from pipeline.progress import Progress, of_bytes, of_units

if TYPE_CHECKING:
    import numpy as np

    from kws.speech.judge import Judgement


def voices_folder(config: Config) -> Path:
    """Where it is, or will be: named after the section `voices`."""
    digest = hashlib.sha256(config.voices.to_json().encode()).hexdigest()[:16]
    return cache_root() / "corpora" / digest


def synthesize(config: Config, workers: int, progress: Progress | None) -> Path:
    """Makes it, unless it is there; clips come from the cache where they can.

    Raises:
      KwsError: for a word that cannot be said.
    """
    from kws.voices import corpus

    folder = voices_folder(config)
    cache = cache_root() / "voices"
    corpus.build(config.voices, folder, cache, workers, progress, _judge)
    return folder


def write_dropped_clips(config: Config, folder: Path) -> str | None:
    """Writes a page with the clips that `synthesize` dropped, or removes that of an earlier run.

    Args:
      config: of the corpus, which has been made.
      folder: for the page.

    Returns:
      A sentence about them; None where nothing is synthesized, or nothing was judged.
    """
    if not (config.data.is_synthesized and config.voices.drop_outliers):
        return None
    from kws.report.dropped_clips import PAGE_FILE, render_page
    from kws.voices.outliers import dropped_from
    from kws.voices.render import ClipCache

    page = folder / PAGE_FILE
    clips = dropped_from(voices_folder(config))
    if not clips:
        page.unlink(missing_ok=True)
        return "No synthesized clip of a keyword was dropped"
    storage.atomic_write(page, render_page(clips, ClipCache(cache_root() / "voices").get).encode())
    words = Counter(clip.word for clip in clips)
    counts = ", ".join(f"{count} of “{word}”" for word, count in words.items())
    return f"Synthesized clips unlike all others of their word were dropped: {counts} ({page})"


def _judge(clips: "Sequence[np.ndarray]") -> "Judgement | None":
    from kws.speech.judge import FEWEST_CLIPS, judge_clips

    return judge_clips(clips) if len(clips) >= FEWEST_CLIPS else None


class Resolved(NamedTuple):
    """What a source came to.

    Attributes:
      folders: without fingerprints yet.
      newest: its newest span; None for one that does not grow.
    """

    folders: list[Folder]
    newest: Span | None = None


def resolve(
    name: str, source: SourceParams, config: Config, workers: int, progress: Progress | None = None
) -> Resolved:
    """Loads, unpacks or synthesizes a source unless it is there, and says where it lies.

    Args:
      name: of the source; it begins the prefix of its folders.
      source: what is asked for.
      config: for the voices.
      workers: processes that synthesize.
      progress: see `Progress`.

    Raises:
      KwsError: a place is missing, an archive is not what it should be.
    """
    plain = partial(Folder, source=name, prefix=name)
    meaning = source.validation_list or ""
    if source.voices:
        folder = synthesize(config, workers, progress)
        found = plain(path=str(folder), validation_list="eval")
        return Resolved([replace(found, split="train") if config.voices.training_only else found])
    if source.corpus:
        return Resolved([_corpus(name, source, config, progress)])
    if source.to_load:
        folder = _loaded(source.to_load, name, progress)
        return Resolved([plain(path=str(folder), validation_list=meaning)])
    if source.manifest:
        file = _existing(source.manifest, "manifest", "file")
        return Resolved([plain(path=str(file.parent), kind="manifest", manifest=file.name)])
    if source.own_clips:
        clips = own_clips.read_clips(
            source.own_clips, source.keyword, config.ingest, source.held_out_share
        )
        folder = clips.write(cache_root() / "own_clips", config.sample_rate)
        return Resolved([plain(path=str(folder), kind="manifest", manifest=own_clips.MANIFEST)])
    if source.speech_commands and source.span_folder:
        return _spans(name, source, source.speech_commands)
    if source.speech_commands:
        folder = _existing(source.speech_commands, "speech_commands", "folder or archive")
        if folder.is_file():
            report = of_bytes(progress, f"Unpacking {name}")
            folder = archive.unpack(folder, cache_root() / "archives", report)
        return Resolved([plain(path=str(folder), validation_list=meaning)])
    return Resolved(_own_folders(name, source))


def _loaded(wanted: RemoteArchive, name: str, progress: Progress | None) -> Path:
    """The folder of an archive from the net, which is loaded and unpacked once."""
    archives = cache_root() / "archives"
    there = archive.unpacked(wanted.sha256, archives)
    if there is not None:
        return there
    file_name = wanted.url.split("?")[0].rpartition("/")[2]
    target = cache_root() / "downloads" / f"{wanted.sha256[:16]}-{file_name}"
    checksum = Checksum("sha256", wanted.sha256)
    download(wanted.url, target, checksum, of_bytes(progress, f"Loading {name}"))
    report = of_bytes(progress, f"Unpacking {name}")
    return archive.unpack(target, archives, report, sha256=wanted.sha256)


def _corpus(name: str, source: SourceParams, config: Config, progress: Progress | None) -> Folder:
    """A public corpus, fetched if it is not there."""
    assert source.corpus is not None
    entry = config.data.catalogue.find(source.corpus)
    store = CorpusStore(cache_root())
    folder = store.fetch(entry, partial(of_units, progress))
    plain = Folder(path=str(folder), source=name, prefix=name, manifest=INDEX_FILE, kind="corpus")
    if entry.layout not in LAYOUTS:
        words = str(store.words_folder(entry))
        meaning = source.validation_list or ""
        return Folder(path=words, source=name, prefix=name, validation_list=meaning)
    return replace(plain, uses=source.uses)


def _spans(name: str, source: SourceParams, place: Path) -> Resolved:
    base = _existing(place, "speech_commands", "folder")

    def list_folders(inside: str) -> list[str]:
        return [child.name for child in (base / inside).iterdir() if child.is_dir()]

    every = spans.find_spans(source.span_folder, list_folders)
    last = spans.last_spans(every, source.last_spans, f"{base}/{source.span_folder}")
    folders = [
        Folder(
            path=str(base / span.folder),
            prefix=f"{name}.{span.number}",
            source=name,
            validation_list=source.validation_list or "",
        )
        for span in last
    ]
    return Resolved(folders, last[-1])


def _own_folders(name: str, source: SourceParams) -> list[Folder]:
    def folder(key: str, path: Path, part: str) -> Folder:
        existing = _existing(path, key, "folder")
        return Folder(path=str(existing), prefix=f"{name}.{part}", source=name, kind="clips")

    found = []
    for word, path in sorted(source.positives.items()):
        found.append(replace(folder(f"positives.{word}", path, word), word=word))
    if source.unknown:
        found.append(folder("unknown", source.unknown, UNKNOWN))
    if source.negatives:
        negatives = folder("negatives", source.negatives, NEGATIVES_FOLDER)
        found.append(replace(negatives, kind="negatives"))
    if source.backgrounds:
        backgrounds = folder("backgrounds", source.backgrounds, BACKGROUND_FOLDER)
        found.append(replace(backgrounds, kind="backgrounds"))
    return found


def _existing(path: Path, key: str, wanted: str) -> Path:
    """The whole path, if what is wanted lies there: a file, a folder, a folder or archive."""
    if (path.is_dir() and "folder" in wanted) or (path.is_file() and wanted != "folder"):
        return path.resolve()
    state = f"is no {wanted}" if path.exists() else "does not exist"
    raise KwsError(f"data.sources: {key} {path} {state}", hint=f"give the path of a {wanted}")


def streaming_params(config: Config) -> StreamingParams:
    """The section `streaming`, its first stage being the folder of one version.

    A folder of versions would serve another one tomorrow under the same name, and TFX's cache would
    not know.

    Raises:
      KwsError: there is no such bundle, or it was made with another frontend.
    """
    params = config.streaming
    if params.cascade is None:
        return params
    try:
        folder = bundle_folder(params.cascade.first_stage)
        if config.tuning is None or not config.tuning.of_features:
            same_frontend(files.read(folder), config.features)
    except KwsError as error:
        raise KwsError(f"streaming.cascade.first_stage: {error.message}", hint=error.hint) from None
    cascade = params.cascade.model_copy(update={"first_stage": str(folder.resolve())})
    return params.model_copy(update={"cascade": cascade})
