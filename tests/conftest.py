"""Shared by all tests: Keras 2 is chosen before TensorFlow, and where the real recordings are."""

from pathlib import Path

import pytest

import kws  # noqa: F401  # selects Keras 2 before any test imports TensorFlow

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings for development; the test is skipped where it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real recordings are not here: {SHARED_DATA}")
    return SHARED_DATA
