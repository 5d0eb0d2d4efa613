"""Cores and memory within a container's limits; the files are as Linux's documentation has them."""

import os
from pathlib import Path

import pytest

from kws import machine

GIB = 2**30


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return folder


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8),
        ({"cpu_dot_max": "max 100000"}, 8),
        ({"cpu_dot_max": "250000 100000"}, 3),
        ({"cpu_dot_max": "50000 100000"}, 1),
        ({"cpu_dot_max": "1600000 100000"}, 8),
        ({"cpu__cpu_dot_cfs_quota_us": "-1", "cpu__cpu_dot_cfs_period_us": "100000"}, 8),
        ({"cpu__cpu_dot_cfs_quota_us": "200000", "cpu__cpu_dot_cfs_period_us": "100000"}, 2),
    ],
)
def test_a_container_has_the_cores_of_its_quota(files, expected, tmp_path, eight_cores):
    assert machine.cores(write(tmp_path, **files)) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8 * GIB),
        ({"memory_dot_max": "max", "memory_dot_current": "1"}, 8 * GIB),
        (
            {
                "memory_dot_max": str(4 * GIB),
                "memory_dot_current": str(3 * GIB),
                "memory_dot_stat": f"anon {GIB}\ninactive_file {2 * GIB}",
            },
            3 * GIB,
        ),
        ({"memory_dot_max": str(GIB), "memory_dot_current": str(2 * GIB)}, 0),
        (
            {
                "memory__memory_dot_limit_in_bytes": str(2 * GIB),
                "memory__memory_dot_usage_in_bytes": str(GIB),
                "memory__memory_dot_stat": "inactive_file 7\ntotal_inactive_file 5",
            },
            GIB + 5,
        ),
    ],
)
def test_a_container_has_the_memory_that_its_limit_leaves(files, expected, tmp_path):
    (tmp_path / "meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable:   {8 * GIB // 1024} kB\n")
    found = machine.available_memory(write(tmp_path / "cgroup", **files), tmp_path / "meminfo")
    assert found == expected


def test_where_nothing_says_it_memory_is_not_known(tmp_path):
    assert machine.available_memory(tmp_path / "none", tmp_path / "none") is None


def test_of_this_machine_something_sensible_is_found():
    assert 1 <= machine.cores() <= (os.cpu_count() or 1)
