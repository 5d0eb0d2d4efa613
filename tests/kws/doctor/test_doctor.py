"""kws doctor: what is missing is told apart from what is merely less, and there is advice."""

import json
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from kws.cli import main
from kws.doctor import machine, packages

LOCK = """
[[package]]
name = "typing-extensions"
version = "4.1"

[[package]]
name = "numpy"
version = "1.26.4"
source = { registry = "somewhere" }

[[package]]
name = "numpy"
version = "2.0.0"
"""


def test_a_lock_may_hold_a_package_in_several_versions():
    assert packages.locked(LOCK) == {"typing-extensions": {"4.1"}, "numpy": {"1.26.4", "2.0.0"}}


@pytest.mark.parametrize(
    ("installed", "state", "words"),
    [
        ({"numpy": "2.0.0"}, "ok", "as in uv.lock"),
        ({"numpy": "1.0"}, "note", "numpy 1.0 (locked: 1.26.4, 2.0.0)"),
        ({}, "missing", "numpy"),
    ],
)
def test_packages_are_held_against_the_lock(installed, state, words):
    found = packages.versions({"numpy"}, installed, packages.locked(LOCK))
    assert found.state == state and words in found.found
    assert bool(found.advice) == (state != "ok")


def test_the_packages_here_are_those_of_the_lock():
    assert all(finding.state != "missing" for finding in packages.examine_packages())


@pytest.mark.parametrize(("gib", "state"), [(50, "ok"), (3, "note"), (0.5, "missing")])
def test_a_full_disk_is_told_from_a_small_one(gib, state, tmp_path):
    found = machine.disk(tmp_path / "not" / "yet", lambda folder: SimpleNamespace(free=gib * 2**30))
    assert found.state == state


def test_a_taken_port_is_noted():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = machine.free_port(taken.getsockname()[1])
    assert found.state == "note" and "--port" in found.advice


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'GPU 0: NVIDIA A100 (UUID: GPU-1)'", "GPU 0: NVIDIA A100"),
        ("echo 'driver not loaded' >&2; exit 9", "the driver finds none"),
    ],
)
def test_a_gpu_is_asked_for_by_its_drivers_program(script, words, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    assert words in machine.gpu(str(program)).found
    assert machine.gpu(None).state == "ok"


def test_exit_status_1_only_where_something_needed_is_missing(tmp_path, capsys, monkeypatch):
    def doctor(*options: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stop:
            main(["doctor", *options])
        return int(stop.value.code or 0), capsys.readouterr().out

    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    status, told = doctor()
    assert status == 0 and "nothing needed is missing" in told
    assert not (tmp_path / "cache").exists()  # nothing is changed
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(packages, "NATIVE", {"a library": "no_such_module"})
    status, told = doctor("--quiet", "--json")
    findings = json.loads(told)
    assert status == 1
    assert [one["name"] for one in findings if one["state"] == "missing"] == ["a library"]
    assert all(one["advice"] for one in findings)


def test_a_folder_that_cannot_be_written_is_missing():
    found = machine._writable("cache", Path("/proc/kws"), "elsewhere")
    assert found.state == "missing" and found.advice == "elsewhere"
