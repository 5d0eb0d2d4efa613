"""The corpus of synthesized speech that a configuration describes."""

import hashlib
from pathlib import Path

from kws.storage import cache_root
from pipeline.config import Config
from pipeline.progress import Progress


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
    corpus.build(config.voices, folder, cache_root() / "voices", workers, progress)
    return folder
