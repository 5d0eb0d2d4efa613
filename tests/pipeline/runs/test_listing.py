"""Runs read back from ML Metadata: how far each came, how it was judged, which one is meant."""

import json
from pathlib import Path

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from rich.console import Console

from kws.errors import KwsError
from kws.gates import Gate, write_gates
from kws.report.run_tables import diff_tables, runs_table
from pipeline.runs import listing, results

DONE, FAILED = mlmd.Execution.COMPLETE, mlmd.Execution.FAILED
RATE = {"count": 1, "exposure": 10, "estimate": 0.1, "low": 0.0025, "high": 0.445}


class Written:
    """ML Metadata as TFX leaves it: runs of steps, each with an artifact of every key."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True)
        self._folder = folder
        config = mlmd.ConnectionConfig()
        config.sqlite.filename_uri = str(folder / "metadata.sqlite")
        self._store = MetadataStore(config)
        self._contexts = {
            name: self._store.put_context_type(mlmd.ContextType(name=name))
            for name in ("pipeline", "pipeline_run", "node")
        }
        self._artifact = self._store.put_artifact_type(mlmd.ArtifactType(name="Any"))

    def context(self, kind: str, name: str) -> int:
        known = self._store.get_context_by_type_and_name(kind, name)
        if known is not None:
            return known.id
        made = mlmd.Context(type_id=self._contexts[kind], name=name)
        return self._store.put_contexts([made])[0]

    def step(self, run: str, name: str, state: int = DONE, **outputs: dict) -> dict[str, Path]:
        """An execution; outputs: key -> custom properties of its artifact."""
        kind = self._store.put_execution_type(mlmd.ExecutionType(name=f"components.{name}"))
        execution = mlmd.Execution(type_id=kind, last_known_state=state)
        execution.custom_properties["params"].string_value = json.dumps(outputs.pop("params", {}))
        folders, pairs = {}, []
        for key, properties in outputs.items():
            folders[key] = self._folder / run / name / key
            folders[key].mkdir(parents=True)
            artifact = mlmd.Artifact(type_id=self._artifact, uri=str(folders[key]))
            for one, value in properties.items():
                artifact.custom_properties[one].string_value = value
            event = mlmd.Event(type=mlmd.Event.OUTPUT)
            event.path.steps.add().key = key
            event.path.steps.add().index = 0
            pairs.append((artifact, event))
        pipeline = self._folder.name
        contexts = [
            mlmd.Context(id=self.context(*one), type_id=self._contexts[one[0]], name=one[1])
            for one in (
                ("pipeline", pipeline),
                ("pipeline_run", run),
                ("node", f"{pipeline}.{name}"),
            )
        ]
        self._store.put_execution(execution, pairs, contexts)
        return folders


def _judged(written: Written, run: str, miss_rate: float, pushed: bool, epochs: int) -> None:
    written.step(run, "Trainer", params={"training": {"epochs": epochs}, "mixup": None})
    made = written.step(run, "StreamingEvaluator", evaluation={}, blessing={})
    total = {"miss_rate": {**RATE, "estimate": miss_rate}}
    (made["evaluation"] / "evaluation.json").write_text(json.dumps({"test": {"total": total}}))
    gate = Gate(name="streaming.miss_rate", value=miss_rate, limit=0.25, at_most=True)
    write_gates(made["blessing"], [gate])
    properties = {"pushed": "1", "pushed_destination": "s3://b/20260102"} if pushed else {}
    written.step(run, "MicroPusher", pushed_model=properties)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three runs of one pipeline and one of another."""
    one = Written(tmp_path / "one")
    _judged(one, "2026-01-01T10:00", 0.4, pushed=False, epochs=5)
    _judged(one, "2026-01-02T10:00", 0.2, pushed=True, epochs=9)
    one.step("2026-01-03T10:00", "Trainer", FAILED)
    Written(tmp_path / "other").step("2026-01-01T11:00", "StatisticsGen")
    return tmp_path


def test_runs_of_all_pipelines_are_there_with_state_gates_figures_and_bundle(folder):
    found = {record.run.run_id: record for record in listing.below(folder)}
    assert [found[one].state for one in sorted(found)] == [
        "refused", "ended after StatisticsGen", "pushed", "stopped at Trainer",
    ]  # fmt: skip
    assert [gate.passed for gate in found["2026-01-01T10:00"].gates] == [False]
    pushed = found["2026-01-02T10:00"]
    assert pushed.version == "20260102" and pushed.gates[0].passed
    assert pushed.figures["miss_rate"] == listing.Figure(value=0.2, low=0.0025, high=0.445)
    assert found["2026-01-03T10:00"].gates == () and found["2026-01-03T10:00"].figures == {}


def test_results_that_were_removed_leave_the_run_in_the_list(folder):
    for file in [*folder.rglob("gates.json"), *folder.rglob("evaluation.json")]:
        file.unlink()
    assert len(listing.below(folder / "one")) == 3


def test_a_run_is_named_by_its_number_its_pipeline_its_bundle_or_the_beginning_of_its_id(folder):
    records = listing.below(folder)
    pushed = listing.choose(records, "20260102")
    assert pushed.run.run_id == "2026-01-02T10:00"
    assert listing.choose(records, pushed.name) is pushed
    assert listing.choose(records, "2026-01-02") is pushed
    assert listing.choose(records, "one") is next(r for r in records if r.run.pipeline == "one")
    with pytest.raises(KwsError, match="more than one run"):
        listing.choose(records, "2026-01-01")
    with pytest.raises(KwsError, match="'nine' is no run"):
        listing.choose(records, "nine")


def test_settings_are_compared_leaf_by_leaf(folder):
    records = listing.below(folder / "one")
    flat = [results.flat(listing.choose(records, f"2026-01-0{day}").run) for day in (1, 2)]
    assert flat[0]["Trainer.params.training.epochs"] == 5
    first, second = (listing.choose(records, f"2026-01-0{day}").run for day in (1, 2))
    assert results.differences(first, second) == {"Trainer.params.training.epochs": (5, 9)}
    assert flat[1]["Trainer.params.mixup"] is None


def test_settings_of_a_step_that_one_run_did_not_reach_do_not_differ(folder):
    records = listing.below(folder / "one")
    stopped, pushed = (listing.choose(records, f"2026-01-0{day}").run for day in (3, 2))
    changed = results.differences(stopped, pushed)
    assert changed and all(key.startswith("Trainer.") for key in changed)


def test_where_nothing_was_run_there_is_one_line(tmp_path):
    with pytest.raises(KwsError, match="no run has been here"):
        listing.below(tmp_path)


def test_the_tables_show_what_failed_and_both_figures_with_bounds(folder):
    records = [record.to_dict() for record in listing.below(folder / "one")]
    console = Console(width=160, record=True)
    console.print(runs_table(records))
    _, second, first = records
    console.print(*diff_tables([first, second], {"Trainer.params.training.epochs": [5, 9]}))
    text = console.export_text()
    assert "1 of 1 failed: streaming.miss_rate" in text and "stopped at Trainer" in text
    assert "40.0% (0.2% to 44.5%)" in text and "20.0% (0.2% to 44.5%)" in text
    assert "0.4 FAILED" in text and "0.2 passed" in text
    assert "Trainer.params.training.epochs" in text
