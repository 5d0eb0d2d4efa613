"""The loop over a real folder, with passes that are small programs: it goes on after failures and
ends between passes."""

import os
import signal
import subprocess
import sys
import time

import pytest

LOOP = """
import sys
from pipeline.retraining.watch import Watch
def say(text):
    print(text, flush=True)
Watch([sys.executable, "-c", sys.argv[1], *sys.argv[3:]], float(sys.argv[2]), say).run()
"""
# Learns each file of a folder once.
LEARN = """
import pathlib, sys
folder = pathlib.Path(sys.argv[1])
seen = folder.with_suffix(".seen")
known = seen.read_text().split() if seen.exists() else []
new = sorted({path.name for path in folder.iterdir()} - set(known))
seen.write_text(" ".join(known + new))
"""
SLOW = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
(folder / "began").touch()
time.sleep(float(sys.argv[2]))
(folder / "ended").touch()
"""


class Loop:
    """A loop in a process of its own."""

    def __init__(self, program, *arguments, every_s=0.05):
        command = [sys.executable, "-c", LOOP, program, str(every_s), *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def line(self):
        return self.process.stdout.readline().strip()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self

    def ended(self):
        said, _ = self.process.communicate(timeout=20)
        assert self.process.returncode == 0
        return said


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_comes_into_the_folder_is_picked_up_until_it_is_told_to_stop(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    loop, seen = Loop(LEARN, folder), folder.with_suffix(".seen")
    for name in ("week-1", "week-2"):
        (folder / name).touch()
        until(lambda: seen.exists() and name in seen.read_text().split())  # noqa: B023
    said = loop.stop().ended()
    assert said.endswith("stopped\n") and "failed" not in said
    assert seen.read_text() == "week-1 week-2"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_during_a_pass_it_lets_the_pass_come_to_its_end(tmp_path, number):
    loop = Loop(SLOW, tmp_path, 0.5, every_s=60)
    until((tmp_path / "began").exists)
    assert "comes to its end first" in loop.stop(number).ended()
    assert (tmp_path / "ended").exists()


def test_told_twice_it_ends_the_pass_as_well(tmp_path):
    loop = Loop(SLOW, tmp_path, 60, every_s=60)
    until((tmp_path / "began").exists)
    loop.stop()
    assert "comes to its end first" in loop.line()
    loop.stop().ended()
    assert not (tmp_path / "ended").exists()


def test_between_passes_it_ends_at_once(tmp_path):
    loop = Loop(SLOW, tmp_path, 0, every_s=600)
    until((tmp_path / "ended").exists)
    time.sleep(0.1)  # until the pass is seen to have ended
    said = loop.stop().ended()
    assert said.endswith("stopped\n") and "failed" not in said


def test_a_failed_pass_is_told_and_tried_again_after_longer_and_longer():
    loop = Loop("raise SystemExit(1)")
    told = [loop.line() for _ in range(3)]
    assert told == [
        "a pass failed (exit status 1), number 1; again in 0.1 s",
        "a pass failed (exit status 1), number 2; again in 0.2 s",
        "a pass failed (exit status 1), number 3; again in 0.4 s",
    ]
    loop.stop().ended()


def test_a_killed_pass_does_not_end_the_loop_and_after_a_good_one_it_counts_anew(tmp_path):
    program = f"""
import os, pathlib, signal
mark = pathlib.Path({str(tmp_path / "n")!r})
n = int(mark.read_text()) if mark.exists() else 0
mark.write_text(str(n + 1))
if n != 1:
    os.kill(os.getpid(), signal.SIGKILL)
"""
    loop = Loop(program)
    told = [loop.line() for _ in range(2)]
    assert told == ["a pass failed (signal 9), number 1; again in 0.1 s"] * 2
    loop.stop().ended()


@pytest.mark.parametrize("status", [2, 75])
def test_a_refusal_and_another_pass_at_work_are_no_failures(tmp_path, status):
    program = f"""
with open({str(tmp_path / "passes")!r}, "a") as file:
    file.write("x")
raise SystemExit({status})
"""
    loop, passes = Loop(program), tmp_path / "passes"
    until(lambda: passes.exists() and len(passes.read_text()) > 2)
    said = loop.stop().ended()
    assert said.endswith("stopped\n") and "failed" not in said


def test_it_leaves_the_handlers_of_signals_as_they_were():
    from pipeline.retraining.watch import Watch

    before = signal.getsignal(signal.SIGTERM)
    watch = Watch([sys.executable, "-c", f"import os; os.kill({os.getpid()}, 15)"], 60, print)
    watch.run()
    assert signal.getsignal(signal.SIGTERM) is before
