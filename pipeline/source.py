"""From the configuration to recordings: as they are, loaded, unpacked, synthesized, or all of it.

One folder or archive in Speech Commands layout, or synthesized speech alone, is a plain corpus:
`folder_of` is its folder. Anything else is a combined corpus
(`pipeline.combined_corpus`): its folder holds `sources.json`.
"""

import os
from pathlib import Path

from kws.corpus import archive
from kws.corpus.contents import TESTING_LIST, VALIDATION_LIST
from kws.corpus.listing import escape, is_hidden, read_text
from kws.errors import KwsError
from kws.labels import canonical, refuse_near_matches
from kws.storage import cache_root
from pipeline import combined_corpus
from pipeline.config import Config
from pipeline.progress import Progress, of_bytes
from pipeline.resolve import synthesize, voices_folder

__all__ = ["Progress", "folder_of", "prepare"]


def folder_of(config: Config, progress: Progress | None = None) -> Path:
    """Where the corpus is, or will be once `prepare` has run.

    An archive is unpacked, once: the folder is named after its content.

    Raises:
      KwsError: the folder or archive is missing, or the archive is unsafe.
    """
    if config.data.is_mix:
        return combined_corpus.folder_of(config)
    path = config.data.path
    if path is None:
        return voices_folder(config)
    if not path.exists():
        raise KwsError(f"data.path={path} does not exist", hint="give a folder or an archive")
    if path.is_dir():
        return path.resolve()
    report = of_bytes(progress, f"Unpacking {path.name}")
    return archive.unpack(path, cache_root() / "archives", report)


def prepare(config: Config, workers: int, progress: Progress | None = None) -> Path:
    """Loads, unpacks and synthesizes what is not there yet, checks that every keyword is said.

    Raises:
      KwsError: see `folder_of` and `mix.prepare`; a keyword has no recordings.
    """
    data = config.data
    if config.voices.training_only and all(source.voices for source in data.all_sources):
        raise KwsError(
            "voices.eval_voices=0 leaves nothing to judge a model by",
            hint="give recordings too (--data DIR), or keep voices for eval and test",
        )
    if data.is_mix:
        return combined_corpus.prepare(config, workers, progress)
    folder = folder_of(config, progress)
    if config.data.path is None:
        synthesize(config, workers, progress)
    names = [name for name in os.listdir(folder) if not is_hidden(name)]
    words = {canonical(name): str(folder / name) for name in names if (folder / name).is_dir()}
    refuse_near_matches(words, config.keywords)
    missing = [word for word in config.keywords if word not in words]
    if missing:
        found = ", ".join(sorted(escape(word) for word in words if not word.startswith("_")))
        raise KwsError(
            f"{folder}: no folder of recordings for keyword {', '.join(missing)}",
            hint=f"words found: {found or 'none'}",
        )
    for name in (VALIDATION_LIST, TESTING_LIST):
        if (folder / name).is_file():
            read_text(folder / name)
    return folder
