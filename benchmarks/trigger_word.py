"""The trigger-word network on held-out scenes: every step, and the chimes, in float and in int8.

    python -m benchmarks.trigger_word [--out DIR] [--data DIR] [--set scenes.scenes=[...]]

Runs the preset `trigger_word`, from voices (or the recordings of `--data`) to the bundle, or takes
what an earlier run in DIR made.
Printed for the scenes of the test split, whose voices were heard in neither training nor eval:
precision, recall and F1 of the steps, and hits, misses and false accepts of the chimes with 95 %
bounds; first for the float model in the form that was trained, then for the int8 file in the form
that a device runs, whose figures are the SceneEvaluator's.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks import harness
from components.scene_evaluator.executor import SCENES_FILE
from kws.detection.posteriors import step_ends_ms
from kws.detection.scene_report import (
    SceneEvaluationParams,
    SceneReport,
    ScoredScene,
    evaluate_scenes,
)
from kws.features import files
from kws.scenes import example
from kws.scenes.scoring import float_scores
from kws.splits import TEST
from kws.training import saved_model
from kws.training.saved_model import TRAINING_FILE
from pipeline import config as configuration
from pipeline.paths import Paths
from pipeline.runners.console import run_with_summary
from pipeline.runs import results


def float_report(trained: Path, scenes: Path, params: SceneEvaluationParams) -> SceneReport:
    """The float model, as it was trained, on the scenes of a split's folder."""
    features, (keyword,) = files.read(trained), files.read_labels(trained)
    options = json.loads((trained / TRAINING_FILE).read_text())["model"]["options"]
    kernel, stride = options.get("kernel", 15), options.get("stride", 4)
    score = float_scores(saved_model.load(trained), features)
    scored = []
    for scene in example.read_scenes(scenes, features):
        times = step_ends_ms(
            len(scene.steps), kernel, stride, features.window_size_ms, features.window_stride_ms
        )
        scored.append(
            ScoredScene(
                truth=scene.truth,
                labels=scene.steps,
                scores=score(scene.features),
                times_ms=times,
            )
        )
    return evaluate_scenes(scored, keyword, params)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what is missing and prints both reports."""
    parser = harness.Parser("trigger_word", __doc__)
    parser.add_argument("--preset", default="trigger_word", help="as of `kws run`")
    parser.add_argument("--data", type=Path, help="recordings, as of `kws run`; none: voices")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="as of `kws run`")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], help="as of `kws run`"
    )
    args = parser.parse_args(arguments)
    config = configuration.load(args.preset, args.overrides, data=args.data)
    run_with_summary(args.preset, args.overrides, args.data, args.out, verbose=False)
    run = results.newest_run(Paths(out=args.out.resolve(), name=config.name).metadata)
    trained = run.step("Trainer").folder("model") / "Format-Serving"
    scenes = run.step("SpectrogramTransform").folder("transformed_examples") / f"Split-{TEST}"
    history = json.loads((trained / TRAINING_FILE).read_text())["history"]
    print(f"\ntrained {history['seconds'] / 60:.1f} min, {history['steps']} updates")
    print(f"float\n{float_report(trained, scenes, config.scene_evaluation).sentences()}")
    judged = run.step("SceneEvaluator").folder("evaluation")
    print(f"int8\n{(judged / 'report.txt').read_text()}")
    print(f"all figures: {judged / SCENES_FILE}")


if __name__ == "__main__":
    harness.start(main)
