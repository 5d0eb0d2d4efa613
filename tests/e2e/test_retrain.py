"""Three weeks of retraining, as cron would run them: better data is pushed, wrong labels are
refused, nothing new is skipped. The tests go on from each other in the order of this file."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kws.bundle import publishing
from tests.e2e import spans
from tests.e2e.conftest import in_process

PRESET = Path(__file__).parent / "weekly.yaml"


class Weekly:
    """A folder that grows by weeks, and the runs' folder."""

    def __init__(self, folder: Path):
        self.weeks = folder / "weeks"
        self.run = folder / "runs" / "weekly"
        self.bundles = self.run / "bundles"
        self._noise = folder / "noise"
        spans.noise(self._noise, seconds=20, seed=100)
        self.environment = {**os.environ, "KWS_CACHE": str(folder / "cache"), "COLUMNS": "120"}

    def command(self, *arguments: str) -> list[str]:
        return [
            str(Path(sys.executable).parent / "kws"), "retrain", str(PRESET),
            "--data", str(self.weeks), "--spans", "week-{SPAN}", "--out", str(self.run.parent),
            "--set", f"data.sources=[{{name: room, backgrounds: {self._noise}}}]", *arguments,
        ]  # fmt: skip

    def program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A pass in a process of its own, as cron starts it."""
        return subprocess.run(
            self.command(*arguments), env=self.environment, capture_output=True, text=True
        )

    def retrain(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A pass in this process."""
        return in_process(self.command(*arguments)[1:], self.environment)

    @property
    def served(self) -> str:
        """The version that LATEST names, after it was verified."""
        version = (self.bundles / "LATEST").read_text().strip()
        publishing.verify(self.bundles / version)
        return version

    @property
    def versions(self) -> list[str]:
        return sorted(path.name for path in self.bundles.iterdir() if path.name.isdigit())

    @property
    def judged(self) -> list[dict]:
        return json.loads((self.run / "retraining.json").read_text())["judged"]

    def state(self) -> dict[str, int]:
        """Every file of the run, locks apart, with the time of its last change."""
        return {
            str(path): path.stat().st_mtime_ns
            for path in self.run.rglob("*")
            if path.is_file() and not path.name.endswith(".lock")
        }


@pytest.fixture(scope="module")
def weekly(tmp_path_factory) -> Weekly:
    return Weekly(tmp_path_factory.mktemp("weekly"))


def said(pass_: subprocess.CompletedProcess[str]) -> str:
    """What it printed, for people, without the breaks of lines."""
    return " ".join(pass_.stdout.split())


def test_the_first_week_trains_from_scratch_and_is_pushed(weekly):
    spans.lay(weekly.weeks / "week-1", speakers=40, snr_db=10, seed=1)
    first = weekly.program()
    assert first.returncode == 0, first.stdout + first.stderr
    assert "new: span 1; 30 epochs from scratch" in said(first)
    assert "drift: nothing to measure it from" in said(first)
    assert weekly.versions == [weekly.served]
    assert first.stderr == ""


def test_nothing_new_is_said_in_one_line_and_nothing_is_written(weekly):
    before = weekly.state()
    again = weekly.program()
    assert again.returncode == 0 and again.stderr == ""
    (line,) = again.stdout.splitlines()
    assert line.startswith("nothing new: span 1 was judged on ")
    assert line.endswith(f"(pushed as {weekly.served})")
    assert weekly.state() == before


def test_recordings_that_were_copied_anew_are_not_new(weekly):
    for path in weekly.weeks.rglob("*.wav"):
        path.touch()
    assert weekly.retrain().stdout.startswith("nothing new: span 1 ")


def test_a_pass_that_was_killed_has_judged_nothing(weekly):
    spans.lay(weekly.weeks / "week-2", speakers=60, snr_db=25, seed=2)
    process = subprocess.Popen(
        weekly.command(), env=weekly.environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "StatisticsGen" in line:
            process.kill()
            break
    process.wait()
    assert [one["span"] for one in weekly.judged] == [1]
    assert weekly.versions == [weekly.served]


def test_the_next_pass_goes_on_from_the_last_blessed_model_and_better_data_is_pushed(weekly):
    before = weekly.served
    second = weekly.retrain()
    assert second.returncode == 0, second.stdout + second.stderr
    screen = said(second)
    assert "going on with what was begun" in screen
    assert "new: span 2; 15 epochs from the last blessed model" in screen
    assert "Reused from earlier runs: AudioExampleGen" in screen
    assert "Against the last blessed model" in screen
    assert "distances are above their limits; retraining.json has all" in screen
    assert any(
        "train of span 2 against train of span 1" in one for one in weekly.judged[-1]["drift"]
    )
    assert weekly.served != before and weekly.versions == [before, weekly.served]
    made = json.loads((weekly.bundles / weekly.served / "evaluation.json").read_text())
    held = {gate["name"] for gate in made["gates"]}
    assert {"streaming.misses_against_last", "streaming.miss_rate_rise_of_last"} <= held
    assert weekly.judged[-1]["warm"] is True


def test_poisoned_labels_are_refused_with_the_reason_and_the_old_version_stays(weekly):
    before = weekly.served
    spans.lay(weekly.weeks / "week-3", speakers=60, snr_db=25, seed=3, labels=spans.ROTATED)
    third = weekly.retrain()
    assert third.returncode == 2, third.stdout + third.stderr
    screen = said(third)
    assert "NOT pushed" in screen and "PUSHED" not in screen.replace("NOT pushed", "")
    assert "streaming.miss_rate_rise_of_last = " in screen.split("NOT pushed")[1]
    # The candidate learned the wrong labels well: by itself it looks good.
    assert "clips.accuracy" not in screen.split("NOT pushed")[1]
    assert weekly.served == before and len(weekly.versions) == 2
    assert weekly.judged[-1]["verdict"] == "refused"
    assert "miss_rate_rise_of_last" in weekly.judged[-1]["reasons"][0]


def test_what_was_refused_is_not_trained_on_again(weekly):
    before = weekly.state()
    again = weekly.retrain()
    assert again.returncode == 0
    (line,) = again.stdout.splitlines()
    assert line.startswith("nothing new: span 3 was judged on ") and line.endswith("(refused)")
    assert weekly.state() == before


def test_data_that_cannot_be_learned_from_is_refused_before_training_and_once(weekly):
    before = weekly.served
    spans.lay(weekly.weeks / "week-4", speakers=20, snr_db=25, seed=4, gain=1e-4)
    fourth = weekly.retrain()
    assert fourth.returncode == 2, fourth.stdout + fourth.stderr
    assert "REFUSED before training" in said(fourth) and "Trainer" not in fourth.stdout
    assert weekly.judged[-1]["span"] == 4 and weekly.judged[-1]["reasons"]
    assert weekly.retrain().stdout.startswith("nothing new: span 4 ")
    assert weekly.served == before


def test_the_loop_looks_again_and_again_and_ends_when_told(weekly):
    process = subprocess.Popen(
        weekly.command("--every", "1s"), env=weekly.environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    assert "looks every 1 s" in lines[0]
    assert all(line.startswith("nothing new: span 4 ") for line in lines[1:])
    second = weekly.retrain("--every", "1s")
    assert second.returncode == 1 and "a watch of weekly is in progress in" in second.stderr
    process.send_signal(signal.SIGTERM)
    assert "stopped" in process.communicate(timeout=60)[0]
    assert process.returncode == 0
