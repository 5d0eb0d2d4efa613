"""What the benchmarks' tests share: recordings, trained models and one finished run, all tiny.

Each benchmark runs in this process, so that TensorFlow is imported once, in an empty working
folder and with an empty folder for temporary files: neither may hold anything afterwards.
"""

import contextlib
import importlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks import harness
from tests.benchmarks import stand_in
from tests.e2e.conftest import PRESET as TINY

SET_AFFINITY = os.sched_setaffinity
"""The system's own; see `private_place`."""
AUTOGRAPH = "__autograph_generated_file"
"""TensorFlow's own temporary files, which it removes when the process ends."""


class Ran(NamedTuple):
    """What a benchmark did.

    Attributes:
      status: as the shell would see it.
      message: what it exited with, if anything.
      text: what it printed.
    """

    status: int
    message: str
    text: str

    def line(self, start: str) -> str:
        """The only line that starts so, after spaces."""
        (found,) = [line for line in self.text.splitlines() if line.strip().startswith(start)]
        return found


@contextlib.contextmanager
def private_place(folder: Path, cache: Path) -> Iterator[None]:
    """Nothing is written but where a benchmark is told to write, and to the cache."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("temporary", "working"):
            (folder / name).mkdir()
        patch.setenv("KWS_CACHE", str(cache))
        patch.setenv("TMPDIR", str(folder / "temporary"))
        patch.setattr(tempfile, "tempdir", str(folder / "temporary"))
        patch.chdir(folder / "working")
        # The rest of the tests wants all cores; `harness.one_core` has a test of its own.
        patch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)
        yield
    left = [
        path
        for name in ("temporary", "working")
        for path in (folder / name).rglob("*")
        # TensorFlow's own modules, which Python compiles beside them.
        if not path.name.startswith(AUTOGRAPH) and path.name != "__pycache__"
    ]
    assert left == [], "a benchmark leaves files behind"


def benchmark(name: str, *arguments: object) -> Ran:
    """Runs `python -m benchmarks.NAME ARGUMENTS` in this process."""
    main = importlib.import_module(f"benchmarks.{name}").main
    printed, code = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            harness.start(lambda: main([str(argument) for argument in arguments]))
        except SystemExit as stop:
            code = stop.code
    status = code if isinstance(code, int) else int(code is not None)
    return Ran(status, code if isinstance(code, str) else "", printed.getvalue())


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    """Synthesized voices, in place of the user's cache."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _private_place(tmp_path_factory, cache) -> Iterator[None]:
    with private_place(tmp_path_factory.mktemp("place"), cache):
        yield


@pytest.fixture(scope="session")
def recordings(tmp_path_factory) -> Path:
    """Stands in for the people's recordings, `benchmarks.recordings` not yet run on it."""
    return stand_in.write(tmp_path_factory.mktemp("recordings"))


class LaidOut(NamedTuple):
    """The recordings once `benchmarks.recordings` has run on them, and what it printed."""

    folder: Path
    ran: Ran


@pytest.fixture(scope="session")
def laid_out(recordings, cache, tmp_path_factory) -> LaidOut:
    with private_place(tmp_path_factory.mktemp("place"), cache):
        return LaidOut(recordings, benchmark("recordings", recordings, "--eval-seconds", 20))


class Finished(NamedTuple):
    """A run of the whole pipeline, made by `benchmarks.pipeline`, and what it printed."""

    folder: Path
    ran: Ran


@pytest.fixture(scope="session")
def finished(laid_out, cache, tmp_path_factory) -> Finished:
    out = tmp_path_factory.mktemp("out")
    with private_place(tmp_path_factory.mktemp("place"), cache):
        ran = benchmark(
            "pipeline", "--preset", TINY, "--data", laid_out.folder / "speech_commands",
            "--out", out, "--set", "keywords=[left, stop]", "--set", "training.epochs=4",
            "--set", "noisy_copies.copies=1", "--set", "evaluation.min_accuracy=0",
        )  # fmt: skip
    return Finished(out / "tiny", ran)
