"""The report of a run: its data from artifacts and ML Metadata, written to one HTML file.

TFMA keeps counts and no clips, so the model scores the test split's features once more: the same
file by the same predictor as in the Evaluator, a few seconds for ten thousand clips.
"""

import dataclasses
import heapq
import itertools
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from kws import storage
from kws.audio import clip as clips
from kws.bundle import lineage
from kws.corpus.quarantine import QUARANTINE_FILE
from kws.errors import KwsError
from kws.export import feature_reader
from kws.features import files
from kws.features.example import FEATURES_FIELD, LABEL_INDEX_FIELD
from kws.report.confusion import ConfusionMatrix
from kws.report.page import render_report
from kws.report.report_data import EarlierBundle, ReportData, ScoredClip, StepData
from kws.runtime import load
from pipeline.runs import corpus_figures, results

REPORT_FILE = "report.html"
TEST = "Split-test"
MOST_WRONG, MOST_CORRECT = 2, 1
"""Clips of a cell of the confusion matrix."""
_BATCH = 256


def gather(metadata: Path) -> ReportData:
    """The data of the newest run.

    Args:
      metadata: the run's ML Metadata file.

    Raises:
      KwsError: the run is not finished, or its files are gone.
    """
    try:
        return _gather(metadata)
    except FileNotFoundError as error:
        raise _gone(error.filename) from None


def _gone(file: Path | str) -> KwsError:
    return KwsError(
        f"{file} is gone", hint="run the same pipeline again: what is missing is made again"
    )


def _gather(metadata: Path) -> ReportData:
    run, folder = results.newest_run(metadata), metadata.parent.resolve()
    _check_finished(run, folder)
    streaming = run.step("StreamingEvaluator").folder("evaluation")
    converted = run.step("MicroConverter").folder("model") / "Format-Serving"
    ingested = run.step("AudioExampleGen").folder("examples")
    labels = files.read_labels(converted)
    quarantine = ingested / QUARANTINE_FILE
    return ReportData(
        name=folder.name,
        run_id=run.run_id,
        pushed_to=run.pushed_to,
        gates=tuple(results.gates(run)),
        labels=tuple(labels),
        matrix=_matrix(run, labels),
        confusion_examples={} if run.has_scenes else confusion_examples(run, converted),
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
        figures=corpus_figures.figures(run),
        shifts=corpus_figures.shifts(run),
        quarantine=_lines(quarantine),
        steps=tuple(_step(step, folder) for step in run.steps),
        earlier=_earlier(folder / "bundles", run),
        lineage=lineage.read(Path(run.pushed_to)) if run.pushed_to else None,
    )


def _check_finished(run: results.Run, folder: Path) -> None:
    """Before anything is read: an unfinished run has only some of the files."""
    last = run.steps[-1] if run.steps else None
    done = {step.name for step in run.steps if step.state != "failed"}
    if last is None or "MicroPusher" not in done:
        where = f"it stopped at {last.name}" if last else "it has no step yet"
        raise KwsError(
            f"the newest run of {folder} has no model to report on: {where}",
            hint="finish it: kws run resumes it; kws data shows its data",
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


def _step(step: results.Step, folder: Path) -> StepData:
    def named(artifacts: dict[str, list[Any]]) -> tuple[str, ...]:
        return tuple(f"{key} #{one.id}" for key, some in artifacts.items() for one in some)

    made = [Path(one.uri) for some in step.outputs.values() for one in some]
    return StepData(
        name=step.name,
        state=step.state,
        seconds=step.seconds,
        inputs=named(step.inputs),
        outputs=named(step.outputs),
        folders=tuple(str(_below(path, folder)) for path in made),
        settings=results.of(step),
    )


def _below(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _earlier(bundles: Path, run: results.Run) -> EarlierBundle | None:
    """The newest bundle in the run's own folder that this run did not push."""
    own = Path(run.pushed_to).name if run.pushed_to else "~"
    found = sorted(file for file in bundles.glob("*/evaluation.json") if file.parent.name < own)
    return (
        EarlierBundle(version=found[-1].parent.name, evaluation=_json(found[-1])) if found else None
    )


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise _gone(file)
    return dict(json.loads(file.read_text()))


def _lines(file: Path) -> tuple[dict[str, Any], ...]:
    """Empty if an older version wrote no such file."""
    if not file.is_file():
        return ()
    return tuple(json.loads(line) for line in file.read_text().splitlines() if line)


@dataclasses.dataclass(frozen=True, kw_only=True, order=True)
class _Scored:
    """A clip; the one with the highest rank is shown first."""

    rank: float
    clip_id: str
    score: float


def confusion_examples(
    run: results.Run, model: Path
) -> dict[tuple[int, int], tuple[ScoredClip, ...]]:
    """Test clips of each cell of the confusion matrix, with their audio.

    Of errors those with the highest scores, of correct predictions those with the lowest: both show
    where the model can be improved.

    Args:
      run: finished.
      model: folder of its int8 model.

    Returns:
      (label, prediction), as indices of the model's labels -> clips.
    """
    examples = Path(run.step("Evaluator").inputs["examples"][0].uri)
    scored = _scored(examples / TEST, model)
    wanted = {one.clip_id for some in scored.values() for one in some}
    # Among its inputs are others than clips, such as a Tuner's hyperparameters. Where another run's
    # clips judged the model, MicroPusher was given them, without their noisy copies.
    given = [*run.step("SpectrogramTransform").inputs.values()]
    given.append(run.step("MicroPusher").inputs.get("audio_examples", []))
    inputs = {Path(one.uri) / TEST: None for some in given for one in some}
    found = _clips([folder for folder in inputs if folder.is_dir()], wanted)
    made = {
        cell: tuple(
            _scored_clip(found[one.clip_id], one.score)
            for one in sorted(some, reverse=True)
            if one.clip_id in found
        )
        for cell, some in scored.items()
    }
    return {cell: some for cell, some in made.items() if some}


def _scored(folder: Path, model_folder: Path) -> dict[tuple[int, int], list[_Scored]]:
    import tensorflow as tf

    model = load.load_folder(model_folder)
    cells: dict[tuple[int, int], list[_Scored]] = {}
    records = feature_reader.records(folder)
    while batch := [tf.train.Example.FromString(r) for r in itertools.islice(records, _BATCH)]:
        raw = [one.features.feature[FEATURES_FIELD].bytes_list.value[0] for one in batch]
        for one, row in zip(batch, model.posteriors(model.stack(raw)), strict=True):
            label = int(one.features.feature[LABEL_INDEX_FIELD].int64_list.value[0])
            predicted = int(row.argmax())
            score, correct = float(row[predicted]), label == predicted
            clip_id = one.features.feature["clip_id"].bytes_list.value[0].decode()
            some = cells.setdefault((label, predicted), [])
            rank = -score if correct else score
            heapq.heappush(some, _Scored(rank=rank, clip_id=clip_id, score=score))
            if len(some) > (MOST_CORRECT if correct else MOST_WRONG):
                heapq.heappop(some)
    return cells


def _clips(folders: list[Path], wanted: set[str]) -> dict[str, clips.Clip]:
    found: dict[str, clips.Clip] = {}
    for record in itertools.chain.from_iterable(
        feature_reader.records(folder) for folder in folders
    ):
        if len(found) == len(wanted):
            break
        clip = clips.decode(record)
        if clip.clip_id in wanted:
            found[clip.clip_id] = clip
    return found


def _scored_clip(clip: clips.Clip, score: float) -> ScoredClip:
    return ScoredClip(
        word=clip.word,
        speaker=clip.speaker,
        source=clip.source,
        augmentation=clip.augmentation,
        score=score,
        audio=clip.audio[clip.lead_in_samples :],
        sample_rate=clip.sample_rate,
    )


def write(metadata: Path, file: Path) -> int:
    """Writes the report of the newest run, atomically.

    Args:
      metadata: a place for `pipeline.metadata_store.store`, in the run's folder.
      file: to write.

    Returns:
      The number of bytes written.

    Raises:
      KwsError: see `gather`.
    """
    content = render_report(gather(metadata)).encode()
    storage.atomic_write(file, content)
    return len(content)


def write_after_run(console: Console, metadata: Path) -> None:
    """Writes `report.html` beside the metadata and prints its path.

    The run has been evaluated and pushed by now: an error here prints one line and does not raise.
    """
    file = metadata.parent / REPORT_FILE
    try:
        write(metadata, file)
    except Exception as error:
        reason = (
            error.message if isinstance(error, KwsError) else f"{type(error).__name__}: {error}"
        )
        console.print(f"No report: {reason}", highlight=False, markup=False)
        return
    console.print(f"Report: {file} (kws report writes it again)", highlight=False, soft_wrap=True)
