"""Gathers what the report page of a run says, from its artifacts and ML Metadata."""

import json
from pathlib import Path
from typing import Any

from kws.audio.quarantine import QUARANTINE_FILE
from kws.errors import KwsError
from kws.features import files
from kws.micro import lineage
from kws.report.confusion import ConfusionMatrix
from kws.report.page.facts import Earlier, Facts, StepFacts
from pipeline import corpus, results, run_settings
from pipeline.confused import confused

TEST = "Split-test"


def gather(metadata: Path) -> Facts:
    """The facts of the newest run.

    Args:
      metadata: the run's ML Metadata file.

    Raises:
      KwsError: the run has not come to its end, or what it made is gone.
    """
    try:
        return _gather(metadata)
    except FileNotFoundError as error:
        raise _gone(error.filename) from None


def _gone(file: Path | str) -> KwsError:
    return KwsError(
        f"{file} is gone", hint="run the same pipeline again: what is missing is made anew"
    )


def _gather(metadata: Path) -> Facts:
    run, folder = results.newest_run(metadata), metadata.parent.resolve()
    _check_finished(run, folder)
    streaming = run.step("StreamingEvaluator").folder("evaluation")
    converted = run.step("MicroConverter").folder("model") / "Format-Serving"
    ingested = run.step("AudioExampleGen").folder("examples")
    labels = files.read_labels(converted)
    quarantine = ingested / QUARANTINE_FILE
    return Facts(
        name=folder.name,
        run_id=run.run_id,
        pushed_to=run.pushed_to,
        gates=tuple(results.gates(run)),
        labels=tuple(labels),
        matrix=_matrix(run, labels),
        confused={} if run.has_scenes else confused(run, converted),
        clip_slices=_slices(run),
        scene_sentences=_scenes(run),
        streaming=_json(streaming / "evaluation.json"),
        events=_lines(streaming / "detections.jsonl"),
        posteriors=streaming / "posteriors" / TEST,
        streams=run.streams / TEST,
        training=_json(run.step("Trainer").folder("model") / "Format-Serving" / "training.json"),
        conversion=_json(converted / "conversion.json"),
        device=_json(run.step("MicroValidator").folder("blessing") / "micro.json"),
        ingest=_json(ingested / "ingest.json"),
        figures=corpus.figures(run),
        shifts=corpus.shifts(run),
        quarantine=_lines(quarantine),
        steps=tuple(_step(step, folder) for step in run.steps),
        earlier=_earlier(folder / "bundles", run),
        lineage=lineage.read(Path(run.pushed_to)) if run.pushed_to else None,
    )


def _check_finished(run: results.Run, folder: Path) -> None:
    """Before anything is read: a half-finished run has half of the files."""
    last = run.steps[-1] if run.steps else None
    if last is None or last.name != "MicroPusher" or last.state == "failed":
        where = f"it stopped at {last.name}" if last else "it has no step yet"
        raise KwsError(
            f"the newest run of {folder} has no model to report on: {where}",
            hint="finish it: kws run goes on where it stopped; kws data shows its data",
        )


def _matrix(run: results.Run, labels: list[str]) -> ConfusionMatrix | None:
    if run.has_scenes:
        return None
    from components.evaluator.results import confusion_matrix

    counts = confusion_matrix(run.step("Evaluator").folder("evaluation"), len(labels))
    return ConfusionMatrix(labels=labels, counts=counts)


def _slices(run: results.Run) -> dict[str, dict[str, tuple[float, int]]]:
    if run.has_scenes:
        return {}
    from components.evaluator.results import accuracy_by_slice

    return accuracy_by_slice(run.step("Evaluator").folder("evaluation"))


def _scenes(run: results.Run) -> tuple[str, ...]:
    if not run.has_scenes:
        return ()
    text = (run.step("SceneEvaluator").folder("evaluation") / "report.txt").read_text()
    return tuple(text.splitlines())


def _step(step: results.Step, folder: Path) -> StepFacts:
    def named(artifacts: dict[str, list[Any]]) -> tuple[str, ...]:
        return tuple(f"{key} #{one.id}" for key, some in artifacts.items() for one in some)

    made = [Path(one.uri) for some in step.outputs.values() for one in some]
    return StepFacts(
        name=step.name,
        state=step.state,
        seconds=step.seconds,
        inputs=named(step.inputs),
        outputs=named(step.outputs),
        folders=tuple(str(_below(path, folder)) for path in made),
        settings=run_settings.of(step),
    )


def _below(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _earlier(bundles: Path, run: results.Run) -> Earlier | None:
    """The newest bundle in the run's own folder that this run did not push."""
    own = Path(run.pushed_to).name if run.pushed_to else "~"
    found = sorted(file for file in bundles.glob("*/evaluation.json") if file.parent.name < own)
    return Earlier(version=found[-1].parent.name, evaluation=_json(found[-1])) if found else None


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise _gone(file)
    return dict(json.loads(file.read_text()))


def _lines(file: Path) -> tuple[dict[str, Any], ...]:
    """None where an older version wrote no such file."""
    if not file.is_file():
        return ()
    return tuple(json.loads(line) for line in file.read_text().splitlines() if line)
