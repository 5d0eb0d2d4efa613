"""kws doctor: what everything needs is told apart from what only some commands need."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from kws import doctor
from pipeline.cli import main

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


@pytest.mark.parametrize(
    ("installed", "lock", "state", "words"),
    [
        ({"numpy": "2.0.0"}, LOCK, "ok", "1, as in uv.lock"),
        ({"numpy": "1.0"}, LOCK, "note", "numpy 1.0 (locked: 1.26.4, 2.0.0)"),
        ({"typing-extensions": "4.1"}, LOCK, "missing", "missing: numpy"),
        ({"numpy": "1.0"}, "", "ok", "no uv.lock to compare with"),
    ],
)
def test_packages_are_compared_with_the_lock(installed, lock, state, words):
    found = doctor.packages({"numpy"}, installed, lock)
    assert found.state == state and words in found.found
    assert bool(found.advice) == (state != "ok")


def test_the_packages_here_are_the_ones_that_pip_finds():
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = {one["name"].lower().replace("_", "-").replace(".", "-"): one["version"]
             for one in json.loads(listed.stdout)}  # fmt: skip
    assert {"tfx", "numpy", "tensorflow"} <= doctor._installed().keys()
    assert doctor._installed().items() >= names.items()
    assert {"tfx", "apache-beam", "pyroomacoustics"} <= doctor._required()


@pytest.mark.parametrize(("gib", "state"), [(50, "ok"), (3, "note"), (0.5, "missing")])
def test_a_full_disk_is_told_from_a_small_one(gib, state, tmp_path, monkeypatch):
    usage = SimpleNamespace(free=gib * 2**30)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: usage)
    found = doctor.folder("cache", tmp_path / "not" / "yet", "elsewhere")
    assert found.state == state and f"{gib:.1f} GiB free" in found.found
    assert not (tmp_path / "not").exists()


def test_a_folder_that_cannot_be_written_is_missing():
    found = doctor.folder("cache", Path("/proc/kws"), "elsewhere")
    assert found.state == "missing" and found.advice == "elsewhere"


@pytest.mark.parametrize(
    ("script", "state", "words"),
    [
        ("echo 'GPU 0: NVIDIA A100 (UUID: GPU-1)'", "note", "GPU 0: NVIDIA A100"),
        ("echo 'driver not loaded' >&2; exit 9", "ok", "none; training runs on the processor"),
    ],
)
def test_a_gpu_is_asked_for_by_its_drivers_program(script, state, words, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    found = doctor.gpu(str(program))
    assert found.state == state and found.found == words
    assert doctor.gpu(None).state == "ok"


def test_one_screen_and_exit_status_1_only_if_something_needed_is_missing(
    tmp_path, capsys, monkeypatch
):
    def run(*options: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stop:
            main(["doctor", *options])
        return int(stop.value.code or 0), capsys.readouterr().out

    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    status, text = run()
    assert status == 0
    assert len(text.splitlines()) <= 24
    assert not (tmp_path / "cache").exists()  # nothing is changed
    monkeypatch.setattr(doctor, "NATIVE", ("no_such_module",))
    status, text = run("--json")
    findings = {one["name"]: one for one in json.loads(text)}
    assert status == 1
    assert [name for name, one in findings.items() if one["state"] == "missing"] == ["libraries"]
    assert findings["libraries"]["advice"]
