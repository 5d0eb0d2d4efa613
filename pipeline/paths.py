"""Where a run keeps what: one folder holds metadata, artifacts, checkpoints, logs and bundles."""

import dataclasses
import os
from pathlib import Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paths:
    """The folders of a pipeline below its output folder."""

    out: Path
    name: str

    @property
    def metadata(self) -> Path:
        """ML Metadata's SQLite file: every run, execution and artifact."""
        return self.out / self.name / "metadata.sqlite"

    @property
    def root(self) -> Path:
        """TFX's pipeline root: the artifacts."""
        return self.out / self.name / "artifacts"

    @property
    def checkpoints(self) -> Path:
        return self.out / self.name / "checkpoints"

    @property
    def tuning(self) -> Path:
        """Of a search that is not over yet."""
        return self.out / self.name / "tuning"

    @property
    def schemas(self) -> Path:
        return self.out / self.name / "schemas"

    @property
    def logs(self) -> Path:
        return self.out / self.name / "logs"

    @property
    def bundles(self) -> Path:
        """Where accepted models are pushed: `bundles/<version>/`."""
        return self.out / self.name / "bundles"


def cache_folder() -> Path:
    """Synthesized speech and unpacked archives, shared by all runs of a user: `$KWS_CACHE`."""
    return Path(os.environ.get("KWS_CACHE") or Path.home() / ".cache" / "kws")
