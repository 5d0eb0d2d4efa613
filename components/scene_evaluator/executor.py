"""SceneEvaluator's executor: read, run the device's model, count, bless or not."""

import json
from pathlib import Path
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.blessing import bless
from kws import gates as kws_gates
from kws.detection.posteriors import step_ends_ms
from kws.detection.scene_report import (
    SceneEvaluationParams,
    SceneReport,
    ScoredScene,
    evaluate_scenes,
    scene_gates,
)
from kws.errors import KwsError
from kws.features import files
from kws.runtime import load
from kws.runtime.streaming_model import Int8StreamingModel
from kws.scenes import example
from kws.scenes.scoring import device_scores
from kws.splits import TEST

SCENES_FILE = "scenes.json"


class Executor(base_executor.BaseExecutor):
    """See `component.SceneEvaluator`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the evaluation and the blessing.

        Raises:
          KwsError: there are no scenes, or the model is none that answers at every step.
        """
        params = SceneEvaluationParams.from_json(exec_properties["params"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])

        int8 = load.load_folder(path_utils.serving_model_path(model.uri), runtime=params.runtime)
        if not isinstance(int8, Int8StreamingModel):
            raise KwsError(f"{model.uri} holds a windowed model: scenes need one with state")
        files.check_same(int8.feature_params, files.read(examples.uri), examples.uri)
        split = artifact_utils.get_split_uri([examples], TEST)
        scored = [_scored(int8, scene) for scene in example.read_scenes(split, int8.feature_params)]
        report = evaluate_scenes(scored, int8.labels[0], params)
        gates = scene_gates(report, params)
        logging.info("SceneEvaluator, test scenes:\n%s", report.sentences())
        _write(Path(evaluation.uri), report, gates)
        bless(blessing, gates, model, by="SceneEvaluator")


def _scored(model: Int8StreamingModel, scene: example.SceneFeatures) -> ScoredScene:
    """The last step ends with the scene's last frame that makes a whole step."""
    steps, stride = len(scene.steps), model.frames_per_step
    kernel = len(scene.features) - (steps - 1) * stride
    frame = model.feature_params
    return ScoredScene(
        truth=scene.truth,
        labels=scene.steps,
        scores=device_scores(model, scene.features, steps),
        times_ms=step_ends_ms(steps, kernel, stride, frame.window_size_ms, frame.window_stride_ms),
    )


def _write(folder: Path, report: SceneReport, gates: list[kws_gates.Gate]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kws_gates.write_gates(folder, gates)
    contents = {
        SCENES_FILE: json.dumps(report.to_dict(), indent=2, allow_nan=False),
        "detections.jsonl": "\n".join(json.dumps(row) for row in report.chimes.events()),
        "report.txt": report.sentences(),
    }
    for name, content in contents.items():
        (folder / name).write_text(content + "\n")
