"""Reads from ML Metadata what a run did: steps, states, times, settings, artifacts, gates."""

import contextlib
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from kws.errors import KwsError
from kws.gates import GATES_FILE, Gate, read_gates
from pipeline import metadata_store


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """One component's execution.

    Attributes:
      name: the component.
      state: "done", "cached" (an earlier run's result was taken) or "failed".
      seconds: from start to publication.
      outputs: artifacts by output key.
      inputs: artifacts by input key.
      settings: what it was run with: the execution's properties as they were recorded.
    """

    name: str
    state: str
    seconds: float
    outputs: dict[str, list[mlmd.Artifact]]
    inputs: dict[str, list[mlmd.Artifact]]
    settings: dict[str, str | int | float]

    def folder(self, key: str) -> Path:
        """The folder of a single output artifact."""
        return Path(self.outputs[key][0].uri)

    def custom_property(self, key: str, name: str) -> str | int | float | None:
        """A custom property of a single output artifact; None if it is not set."""
        value = self.outputs[key][0].custom_properties.get(name)
        return None if value is None else getattr(value, value.WhichOneof("value"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """A run of a pipeline.

    Attributes:
      run_id: TFX's name of it: when it was started, by the clock of its machine.
      number: ML Metadata's id of it.
      pipeline: its name.
      started_ms: since the epoch.
      steps: in order of execution.
    """

    run_id: str
    number: int
    pipeline: str
    started_ms: int
    steps: tuple[Step, ...]

    def step(self, name: str) -> Step:
        for step in self.steps:
            if step.name == name:
                return step
        raise KwsError(f"run {self.run_id} has no step {name}")

    @property
    def pushed_to(self) -> str | None:
        """The bundle's folder or URL, or None if a gate refused."""
        step = self.step("MicroPusher")
        if not step.custom_property("pushed_model", "pushed"):
            return None
        return str(step.custom_property("pushed_model", "pushed_destination"))

    @property
    def has_scenes(self) -> bool:
        """The model was judged on scenes, not on clips."""
        return any(step.name == "SceneEvaluator" for step in self.steps)

    @property
    def own_clips(self) -> Path | None:
        """The evaluation on one person's own clips, where the model was fitted to that person."""
        for step in self.steps:
            if step.name == "OwnClipsEvaluator":
                return step.folder("evaluation")
        return None

    @property
    def streams(self) -> Path:
        """The folder of the streams that judged the model."""
        return Path(self.step("StreamingEvaluator").inputs["streams"][0].uri)

    @property
    def nothing_done(self) -> bool:
        """True where every step took an earlier run's result."""
        return all(step.state == "cached" for step in self.steps)


_STATES = {mlmd.Execution.COMPLETE: "done", mlmd.Execution.CACHED: "cached"}


def newest_run(metadata: Path) -> Run:
    """Reads the newest run from ML Metadata.

    Args:
      metadata: a place for `pipeline.metadata_store.store`.

    Raises:
      KwsError: there is no such place, or no run in it.
    """
    store = metadata_store.store(metadata)
    context = next(iter(run_contexts(store, metadata_store.pipeline_of(metadata))), None)
    if context is None:
        raise KwsError(f"{metadata}: no run has been here")
    return _run(store, context)


def all_runs(metadata: Path) -> Iterator[Run]:
    """Every run of a pipeline, the newest first.

    Args:
      metadata: a place for `pipeline.metadata_store.store`.

    Raises:
      KwsError: there is no such place.
    """
    store = metadata_store.store(metadata)
    for context in run_contexts(store, metadata_store.pipeline_of(metadata)):
        yield _run(store, context)


def _run(store: MetadataStore, context: mlmd.Context) -> Run:
    executions = sorted(store.get_executions_by_context(context.id), key=lambda item: item.id)
    return Run(
        run_id=context.name,
        number=context.id,
        pipeline=next(iter(_pipelines(store, context)), ""),
        started_ms=context.create_time_since_epoch,
        steps=tuple(_step(store, execution) for execution in executions),
    )


def run_contexts(store: MetadataStore, pipeline: str | None) -> Iterator[mlmd.Context]:
    """The runs of a pipeline (None: of all that share the store), the newest first."""
    contexts = store.get_contexts_by_type("pipeline_run")
    for context in sorted(contexts, key=lambda item: item.id, reverse=True):
        if pipeline is None or pipeline in _pipelines(store, context):
            yield context


def _pipelines(store: MetadataStore, run: mlmd.Context) -> list[str]:
    for execution in store.get_executions_by_context(run.id):
        contexts = store.get_contexts_by_execution(execution.id)
        return [context.name for context in contexts if context.type == "pipeline"]
    return []


def _step(store: MetadataStore, execution: mlmd.Execution) -> Step:
    artifacts: dict[int, dict[str, list[mlmd.Artifact]]] = {
        mlmd.Event.INPUT: {},
        mlmd.Event.OUTPUT: {},
    }
    for event in store.get_events_by_execution_ids([execution.id]):
        if event.type in artifacts:
            key = next(step.key for step in event.path.steps if step.HasField("key"))
            found = store.get_artifacts_by_id([event.artifact_id])
            artifacts[event.type].setdefault(key, []).extend(found)
    elapsed_ms = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    # Executions are named after their node by TFX's own node context only; the id is in a context.
    name = next(
        context.name.split(".")[-1]
        for context in store.get_contexts_by_execution(execution.id)
        if context.type == "node"
    )
    return Step(
        name=name,
        state=_STATES.get(execution.last_known_state, "failed"),
        seconds=elapsed_ms / 1000,
        outputs=artifacts[mlmd.Event.OUTPUT],
        inputs=artifacts[mlmd.Event.INPUT],
        settings={
            name: getattr(value, value.WhichOneof("value"))
            for name, value in execution.custom_properties.items()
            if value.WhichOneof("value")
        },
    )


def gates(run: Run) -> list[Gate]:
    """Every gate of the run: TFMA's, the streaming evaluator's, the device's and the data's."""
    streamed = run.step("StreamingEvaluator").folder("blessing")
    device = run.step("MicroValidator").folder("blessing")
    if run.has_scenes:
        found = read_gates(run.step("SceneEvaluator").folder("blessing"))
    else:
        from components.evaluator.results import OWN_CLIPS, evaluation_gates

        found = list(evaluation_gates(run.step("Evaluator").folder("evaluation")))
        if run.own_clips is not None:
            found += evaluation_gates(run.own_clips, OWN_CLIPS)
    pushers = [
        step.folder("pushed_model")
        for step in run.steps
        if step.name == "MicroPusher" and step.outputs.get("pushed_model")
    ]
    for folder in (streamed, device, *pushers):
        if (folder / GATES_FILE).is_file():
            found.extend(read_gates(folder))
    return found


_NOT_SETTINGS = re.compile(
    r"^(__|is_external|(input_fingerprint|span|version|found)$)|(_dir|_base|_file|_path|destination)$"
)
"""Where things lie, what was found there, and TFX's own notes: not what was configured."""


def of(step: Step) -> dict[str, Any]:
    """By name; what was JSON is opened."""
    return {
        name: _parsed(value)
        for name, value in step.settings.items()
        if not _NOT_SETTINGS.search(name)
    }


def flat(run: Run) -> dict[str, Any]:
    """`Trainer.custom_config.training.epochs` -> its value, over all steps; lists stay whole."""
    found: dict[str, Any] = {}
    for step in run.steps:
        found.update(_leaves(step.name, of(step)))
    return found


def differences(one: Run, other: Run) -> dict[str, tuple[Any, Any]]:
    """Settings of steps that both runs have and that differ, leaf by leaf; None: not set."""
    both = {step.name for step in one.steps} & {step.name for step in other.steps}
    flats = [flat(run) for run in (one, other)]
    keys = sorted({*flats[0], *flats[1]})
    pairs = {key: (flats[0].get(key), flats[1].get(key)) for key in keys}
    return {
        key: pair
        for key, pair in pairs.items()
        if pair[0] != pair[1] and key.partition(".")[0] in both
    }


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item)
    else:
        yield name, value


def _parsed(value: Any) -> Any:
    """JSON in strings opened, again and again: TFX writes JSON into JSON."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        with contextlib.suppress(json.JSONDecodeError):
            return _parsed(json.loads(value))
    if isinstance(value, dict):
        return {key: _parsed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_parsed(item) for item in value]
    return value
