"""A benchmark that cannot be started measures nothing: each finds what it needs of the product."""

import importlib
from pathlib import Path

import pytest

import benchmarks

NAMES = sorted(path.stem for path in Path(benchmarks.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_imported(name):
    assert importlib.import_module(f"benchmarks.{name}").__doc__
