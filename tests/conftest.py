"""Shared by all tests: Keras 2 is chosen before TensorFlow, which tier a test is of, how workers
divide the tests, where the real recordings are, and a finished run on scenes."""

import functools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from xdist.scheduler import LoadScopeScheduling

import kws  # noqa: F401  # selects Keras 2 before any test imports TensorFlow

TESTS = Path(__file__).parent
TINY_SCENES = TESTS / "e2e" / "tiny_scenes.yaml"
SHARED_DATA = TESTS.resolve().parents[1] / "shared" / "data"

TIERS = {
    "e2e": ("e2e",),
    "integration": (
        "benchmarks", "components", "docker", "docs", "pipeline", "schemas", "test_distribution.py",
        "kws/bundle", "kws/demo", "kws/export", "kws/features", "kws/models", "kws/runtime",
        "kws/speech", "kws/training",
        "kws/voices", "kws/corpus/test_clip_digest.py",
        "kws/report/test_dashboard", "kws/report/test_data_statistics.py",
        "kws/scenes/test_scene.py",
        "kws/test_detect.py", "kws/test_environment.py", "kws/test_listen.py",
        "kws/test_loopback.py", "kws/test_stream_test.py",
    ),
    "unit": ("",),
}  # fmt: skip
"""The marker of a test by where it is; the first that fits. A file of `tests/kws` that loads
TensorFlow, TFX or a voice is not one of unit tests."""
RUNS = ("first_run", "laid_out|finished", "scenes_run")
"""Session fixtures that take a minute or so, as patterns. The files whose tests ask for one go to
the same worker, so that it is made once; of the other files each may go to another."""

if "PYTEST_XDIST_WORKER" in os.environ:
    # The workers keep all cores busy: each starts no more threads than it has cores.
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, "1")


def tier_of(path: Path) -> str:
    """Of a file or a folder."""
    name = path.relative_to(TESTS).as_posix()
    return next(tier for tier, places in TIERS.items() if name.startswith(places))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m unit` no other test is imported: their imports take longer than the unit tests."""
    wanted = config.option.markexpr.removesuffix(" and not nightly")
    if wanted != "unit" or not collection_path.is_relative_to(TESTS):
        return None
    return True if tier_of(collection_path) != wanted else None


@functools.cache
def group_of(path: Path) -> str:
    """What one worker runs in order: a file, or all files that share a run."""
    text = path.read_text(encoding="utf-8")
    return next((run for run in RUNS if re.search(rf"[(,]\s*({run})\s*[,)]", text)), str(path))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks every test with its tier."""
    for item in items:
        item.add_marker(tier_of(item.path))
    if hasattr(config, "workerinput"):
        # The longest first, so that at the end no worker is left alone with them.
        tiers = list(TIERS)
        items.sort(key=lambda i: (tiers.index(tier_of(i.path)), group_of(i.path) not in RUNS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Divides the tests by `group_of`, whatever --dist says."""

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(config.rootpath / nodeid.partition("::")[0])

    return Groups(config, log)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings for development; the test is skipped where it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real recordings are not here: {SHARED_DATA}")
    return SHARED_DATA


class ScenesRun(NamedTuple):
    """A run of `TINY_SCENES` on tones: its recordings, output folder and screen."""

    data: Path
    out: Path
    status: int
    screen: str


@pytest.fixture(scope="session")
def scenes_run(tmp_path_factory) -> ScenesRun:
    """Made once for all tests of a model that answers at every step."""
    from tests.e2e.test_data_only import recordings

    folder = tmp_path_factory.mktemp("scenes_run")
    data, out = recordings(folder / "data"), folder / "runs"
    command = [
        str(Path(sys.executable).parent / "kws"), "run", "--data", str(data), "--out", str(out),
        "--preset", str(TINY_SCENES),
    ]  # fmt: skip
    environment = {**os.environ, "KWS_CACHE": str(folder / "cache"), "COLUMNS": "200"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    return ScenesRun(data, out, result.returncode, result.stdout + result.stderr)
