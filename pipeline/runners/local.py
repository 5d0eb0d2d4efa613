"""Runs the pipeline on this machine; also what TFX's own command line is pointed at.

    tfx pipeline create --engine local --pipeline-path pipeline/runners/local.py
    tfx run create --engine local --pipeline-name quickstart

TFX's command line passes no arguments to a pipeline file, so the choice comes from the environment:
KWS_PRESET (name or .yaml file, default quickstart), KWS_DATA (folder or archive of recordings),
KWS_OUT (output folder, default ./runs) and KWS_SET (overrides, separated by spaces).
"""

import dataclasses
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

# Python and TFX's command line put this file's folder first on the path, where the package
# `pipeline` would be taken for the module `pipeline.py` in it.
_HERE = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _HERE]

import kws  # noqa: E402, F401  # selects Keras 2, so it comes before TensorFlow

# isort: split

import tfx.v1 as tfx  # noqa: E402

from kws import storage  # noqa: E402
from pipeline import config as configuration  # noqa: E402
from pipeline import metadata_store, source  # noqa: E402
from pipeline.config import Config  # noqa: E402
from pipeline.paths import Paths  # noqa: E402
from pipeline.pipeline import build  # noqa: E402


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """A configured pipeline and where it works."""

    config: Config
    paths: Paths

    @classmethod
    def from_choice(
        cls, preset: str, overrides: Sequence[str], data: Path | None, out: Path
    ) -> "Job":
        config = configuration.load(preset, overrides, data)
        return cls(config=config, paths=Paths(out=out.resolve(), name=config.name))

    def alone(self) -> AbstractContextManager[None]:
        """While it lasts, no other process runs a pipeline in this one's folder: two would take
        each other's results and checkpoints for their own."""
        return storage.lock(self.paths.lock, f"a run of {self.config.name}")

    def pipeline(self) -> tfx.dsl.Pipeline:
        """Builds the TFX pipeline; the recordings need not be there yet."""
        return build(self.config, self.paths, source.folder_of(self.config))


class LocalRunner(tfx.orchestration.LocalDagRunner):
    """TFX's local runner, which first makes sure of the recordings.

    Only `run_with_ir` is ours: creating a pipeline by TFX's command line must synthesize nothing.
    """

    def __init__(self, job: Job, progress: source.Progress | None = None):
        super().__init__()
        self._job = job
        self._progress = progress

    def run_with_ir(self, *args, **kwargs) -> None:
        with self._job.alone():
            # Before anything slow: a store that cannot be reached ends the run.
            metadata_store.prepare(self._job.config, self._job.paths)
            source.prepare(self._job.config, os.cpu_count() or 1, self._progress)
            with metadata_store.for_tfx(self._job.config.metadata):
                super().run_with_ir(*args, **kwargs)


def main() -> None:
    """Runs what the environment chooses."""
    data = os.environ.get("KWS_DATA")
    job = Job.from_choice(
        preset=os.environ.get("KWS_PRESET", "quickstart"),
        overrides=shlex.split(os.environ.get("KWS_SET", "")),
        data=Path(data) if data else None,
        out=Path(os.environ.get("KWS_OUT", "runs")),
    )
    LocalRunner(job).run(job.pipeline())


if __name__ == "__main__":
    main()
