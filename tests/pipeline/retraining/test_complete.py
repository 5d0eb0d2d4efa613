"""Recordings that somebody is still writing are not learned from."""

import os
import time

import pytest

from kws.corpus.folders import Folder
from kws.training.params import RetrainingParams
from pipeline.retraining.one_pass import Clock, Incomplete, wait_until_complete


class Time:
    """Stands still but for sleeping, in which things may happen."""

    def __init__(self, after_ms=0, *happens):
        self.seconds = time.time() + after_ms / 1000
        self.happens, self.slept = list(happens), []

    @property
    def clock(self):
        return Clock(lambda: self.seconds, self._sleep)

    def _sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds
        if self.happens:
            self.happens.pop(0)()


@pytest.fixture
def span(tmp_path):
    folder = tmp_path / "week-7"
    (folder / "yes").mkdir(parents=True)
    (folder / "yes" / "a.wav").touch()
    return Folder(path=str(folder), prefix="weeks.7", source="weeks")


def waited(span, time_, **params):
    said = []
    result = wait_until_complete([span], RetrainingParams(**params), said.append, time_.clock)
    assert bool(said) == result
    return result


def test_what_has_not_changed_for_long_is_complete(span):
    at = Time(after_ms=60_000)
    assert not waited(span, at, settle_seconds=30) and at.slept == []


def test_what_has_just_come_is_waited_for_and_has_to_be_looked_at_again(span):
    at = Time(after_ms=10_000)
    assert waited(span, at, settle_seconds=30)
    assert sum(at.slept) == pytest.approx(20, abs=1)


def test_a_copy_with_the_times_of_long_ago_is_new(span, tmp_path):
    old = tmp_path / "week-7" / "yes" / "b.wav"
    old.touch()
    os.utime(old, (1, 1))
    assert waited(span, Time(), settle_seconds=30)


def test_while_files_go_on_coming_it_goes_on_waiting(span, tmp_path):
    def comes():
        # The inode's time is the system's: so much later than the file system's last one.
        time.sleep(0.05)
        (tmp_path / "week-7" / "yes" / f"{len(at.slept)}.wav").touch()

    at = Time(0, comes, comes)
    assert waited(span, at, settle_seconds=0.04) and len(at.slept) >= 3


def test_a_clock_that_is_ahead_does_not_make_it_wait_for_ever(span):
    at = Time(after_ms=-3_600_000)  # the file server's clock is an hour ahead of ours
    assert waited(span, at, settle_seconds=30) and at.slept == [30]


def test_with_a_file_that_says_so_it_is_that_file_alone(span, tmp_path):
    with pytest.raises(Incomplete, match="week-7 has no _SUCCESS"):
        waited(span, Time(), complete_file="_SUCCESS")
    (tmp_path / "week-7" / "_SUCCESS").touch()
    assert not waited(span, Time(), complete_file="_SUCCESS")


def test_the_file_is_asked_of_the_newest_span_alone_and_not_of_other_sources(span, tmp_path):
    older = Folder(path=str(tmp_path / "week-6"), prefix="weeks.6", source="weeks")
    room = Folder(path=str(tmp_path), prefix="room.noise", source="room", kind="backgrounds")
    (tmp_path / "week-7" / "_SUCCESS").touch()
    params = RetrainingParams(complete_file="_SUCCESS")
    assert not wait_until_complete([room, older, span], params, print)


def test_what_was_unpacked_or_synthesized_here_is_never_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path))
    (tmp_path / "corpora").mkdir()
    ours = Folder(path=str(tmp_path / "corpora"))
    assert not wait_until_complete([ours], RetrainingParams(settle_seconds=30), print)
