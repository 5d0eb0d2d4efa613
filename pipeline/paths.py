"""Where a run keeps what: one folder holds metadata, artifacts, checkpoints, logs and bundles."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paths:
    """The folders of a pipeline below its output folder."""

    out: Path
    name: str

    @property
    def lock(self) -> Path:
        """Held by the one process that runs the pipeline in this folder."""
        return self.out / self.name / ".run.lock"

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
