"""Runs of all pipelines below a folder: state, gates, figures, what was pushed; and which is meant.

A run is named `quickstart#12`: its pipeline and its number in ML Metadata.
"""

import dataclasses
import datetime
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kws.detection.rates import Share
from kws.errors import KwsError
from kws.gates import GATES_FILE, Gate, read_gates
from pipeline import metadata_store
from pipeline.runs import results

JUDGES = ("SceneEvaluator", "StreamingEvaluator", "MicroValidator")
"""Steps that write `gates.json`; TFX's Evaluator has its thresholds in TFMA's result."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured figure.

    Attributes:
      value: None where nothing was measured.
      low, high: 95 % bounds; None of what is no matter of chance.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """A run, in short.

    Attributes:
      run: as ML Metadata has it.
      place: of the metadata.
      state: "pushed", "refused", or how far it came.
      gates: of the steps that were done and whose results are still there.
      figures: by name: `accuracy`, `miss_rate`, `false_accepts_per_hour`, `flash_bytes`,
        `arena_bytes`, `macs`; those that were measured.
      version: of the bundle that was pushed.
    """

    run: results.Run
    place: Path
    state: str
    gates: tuple[Gate, ...]
    figures: dict[str, Figure]
    version: str | None

    @property
    def name(self) -> str:
        return f"{self.run.pipeline}#{self.run.number}"

    @property
    def started(self) -> datetime.datetime:
        """In the time zone of this machine."""
        return datetime.datetime.fromtimestamp(self.run.started_ms / 1000).astimezone()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "run": self.name,
            "run_id": self.run.run_id,
            "pipeline": self.run.pipeline,
            "folder": str(self.place.parent),
            "started": self.started.isoformat(timespec="seconds"),
            "state": self.state,
            "gates": [{**gate.model_dump(), "passed": gate.passed} for gate in self.gates],
            "figures": {key: dataclasses.asdict(one) for key, one in self.figures.items()},
            "version": self.version,
        }


def below(folder: Path) -> list[Record]:
    """Every run of the pipelines below a folder, or of the pipeline that it is; newest first.

    Raises:
      KwsError: there is none.
    """
    own = metadata_store.find(folder)
    children = sorted(folder.glob("*/")) if folder.is_dir() else []
    places = [own] if own else [place for one in children if (place := metadata_store.find(one))]
    found = [record_of(run, place) for place in places for run in results.all_runs(place)]
    if not found:
        raise KwsError(f"{folder}: no run has been here", hint="kws run makes one")
    return sorted(found, key=lambda record: record.run.started_ms, reverse=True)


def choose(records: Sequence[Record], name: str) -> Record:
    """The run that a person means.

    Args:
      records: newest first.
      name: `quickstart#12`, a pipeline (its newest run), a bundle's version, or the beginning of
        TFX's run id.

    Raises:
      KwsError: it is none of them, or more than one.
    """
    for record in records:
        if name in (record.name, record.run.pipeline, record.version):
            return record
    begin = [record for record in records if record.run.run_id.startswith(name)]
    if len(begin) == 1:
        return begin[0]
    known = ", ".join(record.name for record in records[:8])
    what = "more than one run" if begin else "no run"
    raise KwsError(f"{name!r} is {what}", hint=f"there are {known}; kws runs lists them")


def record_of(run: results.Run, place: Path) -> Record:
    """Reads what the run's steps have left."""
    steps = {step.name: step for step in run.steps if step.state != "failed"}
    pushed = run.pushed_to if "MicroPusher" in steps else None
    return Record(
        run=run,
        place=place,
        state=_state(run, pushed),
        gates=tuple(_gates(steps)),
        figures=dict(_figures(steps)),
        version=pushed.rstrip("/").rpartition("/")[2] if pushed else None,
    )


def _state(run: results.Run, pushed: str | None) -> str:
    if pushed:
        return "pushed"
    if not run.steps:
        return "no step done"
    last = run.steps[-1]
    if last.state == "failed":
        return f"stopped at {last.name}"
    judged = any(step.name == "MicroPusher" for step in run.steps)
    return "refused" if judged else f"ended after {last.name}"


def _gates(steps: dict[str, results.Step]) -> Iterator[Gate]:
    evaluator = steps.get("Evaluator")
    if evaluator and (folder := evaluator.folder("evaluation")).is_dir():
        from components.evaluator.results import evaluation_gates

        yield from evaluation_gates(folder)
    for name in JUDGES:
        if name in steps and (file := steps[name].folder("blessing") / GATES_FILE).is_file():
            yield from read_gates(file.parent)


def _figures(steps: dict[str, results.Step]) -> Iterator[tuple[str, Figure]]:
    evaluator = steps.get("Evaluator")
    if evaluator and (folder := evaluator.folder("evaluation")).is_dir():
        from components.evaluator.results import accuracy

        yield "accuracy", _of(accuracy(folder))
    streamed = _json(steps, "StreamingEvaluator", "evaluation", "evaluation.json")
    total = streamed.get("test", {}).get("total", {})
    for key in ("miss_rate", "false_accepts_per_hour"):
        if key in total:
            rate = total[key]
            yield key, Figure(value=rate["estimate"], low=rate["low"], high=rate["high"])
    converted = _json(steps, "MicroConverter", "model", "Format-Serving/conversion.json")
    if "model_bytes" in converted:
        yield "flash_bytes", Figure(value=converted["model_bytes"])
    device = _json(steps, "MicroValidator", "blessing", "micro.json")
    for key in ("arena_bytes", "macs"):
        if device.get(key) is not None:
            yield key, Figure(value=device[key])


def _of(found: Share) -> Figure:
    return Figure(value=found.estimate, low=found.low, high=found.high)


def _json(steps: dict[str, results.Step], step: str, key: str, name: str) -> dict[str, Any]:
    """Empty where the step was not done or its files were removed."""
    if step not in steps:
        return {}
    file = steps[step].folder(key) / name
    return dict(json.loads(file.read_text())) if file.is_file() else {}
