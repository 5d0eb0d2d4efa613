"""Trigger-word pipeline: scenes, a model that answers at every step, its int8 form, a bundle."""

import json
import re
from pathlib import Path

from kws.runtime.load import load_folder


def test_a_model_that_answers_at_every_step_is_trained_judged_on_scenes_and_pushed(scenes_run):
    screen = scenes_run.screen
    assert scenes_run.status == 0, screen
    assert re.search(r"Scenes, steps: precision \d", screen)
    assert re.search(r"Scenes, chimes: \d+ of \d+ words hit", screen)
    assert "SceneEvaluator" in screen

    bundle = Path(re.search(r"PUSHED (\S+)", screen)[1])
    model = load_folder(bundle)
    assert (model.kind, model.labels, model.frames_per_step) == ("streaming", ["activate"], 4)
    figures = json.loads((bundle / "evaluation.json").read_text())
    assert figures["scenes"]["scenes"] == 6
    assert figures["scenes"]["steps"]["steps"] == 6 * 62
    assert figures["conversion"]["float_f1"] - figures["conversion"]["int8_f1"] <= 0.3
