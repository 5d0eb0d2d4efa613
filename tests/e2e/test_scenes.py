"""Trigger-word pipeline: scenes, a model that answers at every step, its int8 form, a bundle."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from kws.micro.load import load_folder
from tests.e2e.test_data_only import recordings

PRESET = Path(__file__).parent / "tiny_scenes.yaml"


def test_a_model_that_answers_at_every_step_is_trained_judged_on_scenes_and_pushed(tmp_path):
    command = [
        str(Path(sys.executable).parent / "kws"), "run", "--preset", str(PRESET),
        "--data", str(recordings(tmp_path / "data")), "--out", str(tmp_path / "runs"),
    ]  # fmt: skip
    environment = {**os.environ, "KWS_CACHE": str(tmp_path / "cache"), "COLUMNS": "200"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"Scenes, steps: precision \d", result.stdout)
    assert re.search(r"Scenes, chimes: \d+ of \d+ words hit", result.stdout)
    assert "SceneEvaluator" in result.stdout

    bundle = Path(re.search(r"PUSHED (\S+)", result.stdout)[1])
    model = load_folder(bundle)
    assert (model.kind, model.labels, model.frames_per_step) == ("streaming", ["activate"], 4)
    figures = json.loads((bundle / "evaluation.json").read_text())
    assert figures["scenes"]["scenes"] == 6
    assert figures["scenes"]["steps"]["steps"] == 6 * 62
    assert figures["conversion"]["float_f1"] - figures["conversion"]["int8_f1"] <= 0.3
