"""One small pipeline, run once for all end-to-end tests: three voices, two keywords."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pipeline.cli import app, common

PRESET = Path(__file__).parent / "tiny.yaml"


def in_process(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What `kws` does with these arguments, in this process: it imports TensorFlow and TFX once."""
    printed, complained = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(complained),
    ):
        for name, value in environment.items():
            patch.setenv(name, value)
        status = common.run(app, arguments)
    return subprocess.CompletedProcess(
        list(arguments), status, printed.getvalue(), complained.getvalue()
    )


class Pipeline:
    """Runs `kws` as a user does: the first time as a program, later in this process."""

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
        return in_process(arguments, self.environment)

    def program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """In a process of its own."""
        command = [str(Path(sys.executable).parent / "kws"), *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True)

    def arguments(self, *overrides: str) -> list[str]:
        """Of `kws` for a run with these settings."""
        settings = [word for override in overrides for word in ("--set", override)]
        return ["run", "--preset", str(PRESET), "--out", str(self.out), *settings]

    def run(self, *overrides: str) -> subprocess.CompletedProcess[str]:
        return self.kws(*self.arguments(*overrides))

    @property
    def versions(self) -> list[Path]:
        """The bundles pushed so far."""
        return sorted((self.out / "tiny" / "bundles").glob("[0-9]*"))


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory) -> Pipeline:
    return Pipeline(tmp_path_factory.mktemp("e2e"))


@pytest.fixture(scope="session")
def first_run(pipeline) -> subprocess.CompletedProcess[str]:
    """A run from nothing: voices, training, gates, bundle."""
    return pipeline.program(*pipeline.arguments())
