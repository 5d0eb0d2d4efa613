"""One small pipeline, run once for all end-to-end tests: three voices, two keywords."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PRESET = Path(__file__).parent / "tiny.yaml"


class Pipeline:
    """Runs `kws` as a user does, in a process of its own."""

    def __init__(self, folder: Path):
        self.out = folder / "runs"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.environment = {
            **os.environ,
            "KWS_CACHE": str(folder / "cache"),
            "TMPDIR": str(self.temporary),
            "COLUMNS": "120",
        }

    def kws(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "kws"), *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True)

    def run(self, *overrides: str) -> subprocess.CompletedProcess[str]:
        settings = [word for override in overrides for word in ("--set", override)]
        return self.kws("run", "--preset", str(PRESET), "--out", str(self.out), *settings)

    @property
    def versions(self) -> list[Path]:
        """The bundles pushed so far."""
        bundles = self.out / "tiny" / "bundles"
        return (
            sorted(path for path in bundles.iterdir() if path.is_dir()) if bundles.is_dir() else []
        )


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory) -> Pipeline:
    return Pipeline(tmp_path_factory.mktemp("e2e"))


@pytest.fixture(scope="session")
def first_run(pipeline) -> subprocess.CompletedProcess[str]:
    """A run from nothing: voices, training, gates, bundle."""
    return pipeline.run()
