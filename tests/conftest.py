"""Shared by all tests: Keras 2 is chosen before TensorFlow, where the real recordings are, and a
finished run on scenes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import kws  # noqa: F401  # selects Keras 2 before any test imports TensorFlow

TINY_SCENES = Path(__file__).parent / "e2e" / "tiny_scenes.yaml"
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


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
