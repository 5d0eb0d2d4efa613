"""From the configuration to a folder of recordings: as it is, unpacked, or synthesized."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from kws.audio import archive
from kws.errors import KwsError
from pipeline.config import Config
from pipeline.paths import cache_folder

Progress = Callable[[int, int, float], None]


def folder_of(config: Config) -> Path:
    """Where the recordings are, or (synthesized ones) will be once `prepare` has run.

    An archive is unpacked, once: the folder is named after its content.

    Raises:
      KwsError: the folder or archive is missing, or the archive is unsafe.
    """
    path = config.data.path
    if path is None:
        digest = hashlib.sha256(config.voices.to_json().encode()).hexdigest()[:16]
        return cache_folder() / "corpora" / digest
    if not path.exists():
        raise KwsError(f"data.path={path} does not exist", hint="give a folder or an archive")
    if path.is_dir():
        return path.resolve()
    return archive.unpack(path, cache_folder() / "archives")


def prepare(config: Config, workers: int, progress: Progress | None = None) -> Path:
    """Synthesizes or unpacks where needed, checks that every keyword has recordings.

    Raises:
      KwsError: see `folder_of`; a keyword has no folder in it.
    """
    folder = folder_of(config)
    if config.data.path is None:
        from kws.voices import corpus

        corpus.build(config.voices, folder, cache_folder() / "voices", workers, progress)
    words = {child.name for child in folder.iterdir() if child.is_dir()}
    missing = [word for word in config.keywords if word not in words]
    if missing:
        found = ", ".join(sorted(word for word in words if not word.startswith(("_", "."))))
        raise KwsError(
            f"{folder}: no folder of recordings for keyword {', '.join(missing)}",
            hint=f"words found: {found or 'none'}",
        )
    return folder
