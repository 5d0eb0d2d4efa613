"""Every benchmark is listed, can be imported, and teaches by `--help`."""

import argparse
import importlib
import os
import re
import threading
from pathlib import Path

import pytest

import benchmarks
from benchmarks import harness
from kws.errors import KwsError
from tests.benchmarks.conftest import SET_AFFINITY, benchmark

FOLDER = Path(benchmarks.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
COMMANDS = [name for name in NAMES if "\ndef main(" in (FOLDER / f"{name}.py").read_text()]


def test_the_readme_lists_every_command_and_no_other():
    table = (FOLDER / "README.md").read_text().splitlines()
    rows = [line for line in table if line.startswith("| `python")]
    listed = {
        name for row in rows for name in re.findall(r"-m benchmarks\.(\w+)", row.split("|")[1])
    }
    assert listed == set(COMMANDS)
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("name", NAMES)
def test_its_head_says_what_it_is_for(name):
    head = importlib.import_module(f"benchmarks.{name}").__doc__
    assert head and head.splitlines()[0].endswith((".", "?"))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_the_head_and_explains_every_argument(name, monkeypatch):
    parsers = []
    real = argparse.ArgumentParser.parse_args

    def parse_args(self, *given):
        parsers.append(self)
        return real(self, *given)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
    ran = benchmark(name, "--help")
    (parser,) = parsers
    assert ran.status == 0 and ran.text.startswith(f"usage: python -m benchmarks.{name} ")
    assert importlib.import_module(f"benchmarks.{name}").__doc__.strip() in ran.text
    assert [action.dest for action in parser._actions if not action.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_command_does_not_know_is_refused(name, capsys):
    assert benchmark(name, "--nonsense").status == 2
    assert f"python -m benchmarks.{name}: error: " in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_started_by_the_harness(name):
    assert (FOLDER / f"{name}.py").read_text().endswith("    harness.start(main)\n")


def test_an_argument_without_help_is_not_accepted():
    with pytest.raises(TypeError, match="help"):
        harness.Parser("mine", "Head.").add_argument("--clips")


def test_help_has_the_defaults():
    parser = harness.Parser("mine", "Head.\n\n    python -m benchmarks.mine")
    parser.add_argument("--clips", type=int, default=400, help="of 1 s")
    parser.add_argument("--shares", nargs="+", default=[12, 25], help="in %%")
    text = parser.format_help()
    assert "of 1 s (default: 400)" in text and "in % (default: 12 25)" in text
    assert "    python -m benchmarks.mine" in text


def test_an_error_that_a_user_can_mend_is_one_line():
    def main():
        raise KwsError("steps=-1 is negative", hint="at least 1")

    with pytest.raises(SystemExit) as stop:
        harness.start(main)
    assert stop.value.code == "error: steps=-1 is negative (at least 1)"


def test_a_benchmark_of_one_core_has_one_and_gives_the_others_back(monkeypatch):
    monkeypatch.setattr(os, "sched_setaffinity", SET_AFFINITY)  # of one thread
    found = []

    def work():
        found.append(os.sched_getaffinity(0))
        with harness.one_core():
            found.append(os.sched_getaffinity(0))
        found.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    before, inside, after = found
    assert len(inside) == 1 and inside <= before == after


def test_speed_is_units_by_the_seconds_of_each_clock():
    assert harness.Seconds(by_clock=2.0, by_processor=0.5).speed(10) == (5.0, 20.0)
    processor = iter((3.0, 7.0))
    assert harness.measure(lambda: None, lambda: next(processor)).by_processor == 4.0
