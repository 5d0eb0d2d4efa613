"""What a training would be made of, and two fingerprints of it: a quick one and one that is sure.

The quick one goes by names, sizes and times of the recordings. The sure one reads them: recordings
that were copied anew, or touched, or lie elsewhere now, are still the same.
"""

import dataclasses
import functools
import hashlib
import os
from pathlib import Path
from typing import Any

import kws
from kws import code_version
from kws.corpus.digests import content_hash
from kws.corpus.folders import Folder
from kws.corpus.spans import Span
from pipeline import combined_corpus, source
from pipeline.config import Config
from pipeline.progress import Progress

NOT_IN_MODELS: dict[str, Any] = {
    "data": True,
    "beam_pipeline_args": True,
    "beam_pipeline_args_of": True,
    "kubeflow": True,
    "metadata": True,
    "retraining": {"settle_seconds", "complete_file"},
}
"""What does not say what comes out: of the data, the content is asked and not the place."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MadeOf:
    """Recordings, configuration and version of the product.

    Attributes:
      folders: of the corpus, with fingerprints of names, sizes and times.
      span: the newest; None where nothing grows by spans.
      settings: hash of the configuration.
      code: the product's version and its libraries'.
    """

    folders: tuple[Folder, ...]
    span: int | None
    settings: str
    code: str

    @functools.cached_property
    def quick(self) -> str:
        """The quick fingerprint; reads no recording."""
        return _hash(self.settings, self.code, *(repr(folder) for folder in self.folders))

    @functools.cached_property
    def sure(self) -> str:
        """The fingerprint by content; reads every recording, once."""
        contents = (
            content_hash(Path(folder.path), combined_corpus.files_of(folder))
            for folder in self.folders
        )
        described = (
            repr(dataclasses.replace(folder, path="", fingerprint="")) for folder in self.folders
        )
        return _hash(self.settings, self.code, *described, *contents)


def look(config: Config, progress: Progress | None = None) -> MadeOf:
    """Looks at the recordings; loads, unpacks and synthesizes what is not there yet.

    Raises:
      KwsError: see `source.prepare`.
    """
    workers = os.cpu_count() or 1
    newest: Span | None = None
    if config.data.is_mix:
        folders, newest = combined_corpus.gather(config, workers, progress)
    else:
        path = source.prepare(config, workers, progress)
        folders = [combined_corpus.with_fingerprint(Folder(path=str(path)))]
    return MadeOf(
        folders=tuple(folders),
        span=newest.number if newest else None,
        settings=_settings(config),
        code=code(),
    )


def settings_of(config: Config) -> str:
    """Hash of all that says what comes out but the recordings."""
    return _hash(_settings(config), code())


def code() -> str:
    """The product's version, and its libraries' by the lock file; single commits do not count."""
    found = code_version.find()
    return f"{kws.__version__}, uv.lock {(found.lock_sha256 or 'missing')[:12]}"


def _settings(config: Config) -> str:
    return _hash(config.model_dump_json(exclude=NOT_IN_MODELS))


def _hash(*texts: str) -> str:
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=16).hexdigest()
