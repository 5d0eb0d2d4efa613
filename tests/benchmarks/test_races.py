"""The races of benchmarks/races.py, one round of the quick ones; all of them ten times by night."""

import pytest

from benchmarks import races

QUICK = ("archives", "downloads", "pushes", "voices")


@pytest.mark.parametrize("name", QUICK)
def test_processes_side_by_side_do_not_fail(name):
    assert races.run_race(name, rounds=1) == []


@pytest.mark.nightly
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("name", races.RACES)
def test_ten_rounds_without_a_failure(name):
    assert races.run_race(name, rounds=10) == []


def test_a_race_that_is_lost_is_told(monkeypatch):
    def lost(folder):
        races._together(folder, [races._python("raise SystemExit('no such file')")])

    monkeypatch.setitem(races.RACES, "lost", (lost, 1))
    assert races.run_race("lost", rounds=2) == [
        "round 1: exit status 1: no such file",
        "round 2: exit status 1: no such file",
    ]
