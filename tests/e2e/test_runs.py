"""`kws runs`, `kws runs diff` and `kws tensorboard` on a run as a user has made it."""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest


def test_a_run_is_listed_with_gates_figures_and_bundle(pipeline, first_run):
    listed = pipeline.kws("runs", "--out", str(pipeline.out), "--json")
    assert listed.returncode == 0, listed.stderr
    oldest = [run for run in json.loads(listed.stdout) if run["pipeline"] == "tiny"][-1]
    assert oldest["state"] == "pushed"
    assert oldest["version"] == pipeline.versions[0].name
    gates = {gate["name"]: gate for gate in oldest["gates"]}
    assert gates["clips.accuracy"]["passed"] and gates["micro.arena_bytes"]["passed"]
    figures = oldest["figures"]
    assert figures["accuracy"]["low"] <= figures["accuracy"]["value"] <= figures["accuracy"]["high"]
    assert figures["accuracy"]["value"] == pytest.approx(gates["clips.accuracy"]["value"])
    assert figures["flash_bytes"]["value"] == gates["micro.flash_bytes"]["value"]


def test_a_run_does_not_differ_from_itself(pipeline, first_run):
    version = pipeline.versions[0].name
    done = pipeline.kws("runs", "diff", version, version, "--out", str(pipeline.out))
    assert done.returncode == 0, done.stderr
    assert "Settings: the same" in done.stdout and "accuracy of clips" in done.stdout


def test_tensorboard_shows_the_training_on_loopback(pipeline, first_run):
    command = [str(Path(sys.executable).parent / "kws"), "tensorboard", "--all"]
    with subprocess.Popen(
        [*command, str(pipeline.out / "tiny"), "--port", "0"],
        env=pipeline.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline()
            url = re.search(r"http://127\.0\.0\.1:\d+/", line)[0]
            with urllib.request.urlopen(f"{url}data/runs", timeout=60) as answer:
                assert {name.split("/")[-1] for name in json.load(answer)} == {"train", "eval"}
        finally:
            process.terminate()
            assert process.wait(30) == 0
