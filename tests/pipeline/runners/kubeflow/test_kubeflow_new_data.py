"""A pipeline compiled for a schedule: the first task decides whether the others run."""

import json

import pytest
import yaml

from kws.bundle.registry import Registry
from kws.errors import KwsError
from pipeline.cli import main
from pipeline.config import load
from pipeline.runners.kubeflow import compile
from pipeline.runners.kubeflow.compile import Target, compile_spec
from tests.pipeline.kubeflow_cluster import Cluster

ROOT = "gs://bucket/pipelines"
BUNDLES = f"{ROOT}/quickstart/bundles"
OVERRIDES = ("training.warm_start=true", "data.span_folder=week-{SPAN}", "data.path=/words")


def compiled(*overrides, retrain=True):
    config = load("quickstart", [*OVERRIDES, *overrides])
    target = Target(image="i", root=ROOT, data="gs://bucket/words", retrain=retrain)
    return compile_spec(config, target)


@pytest.fixture(scope="module")
def spec():
    return compiled()


@pytest.fixture(scope="module")
def tasks(spec):
    return spec["root"]["dag"]["tasks"]


def reached(tasks, started):
    """The tasks that run where only these start: those that wait for nothing else."""
    done = set(started)
    while True:
        more = {
            name
            for name, task in tasks.items()
            if name not in done
            and "triggerPolicy" not in task
            and set(task.get("dependentTasks", [])) <= done
        }
        if not more:
            return done
        done |= more


def test_it_is_a_strict_specification(spec):
    parsed = compile.parse(spec)
    task = parsed.root.dag.tasks["AudioExampleGen"]
    assert task.trigger_policy.condition == "inputs.parameter_values['new_data'] == 'true'"
    source = task.inputs.parameters["new_data"].task_output_parameter
    assert (source.producer_task, source.output_parameter_key) == ("NewData", "new")
    assert parsed.components["NewData"].output_definitions.parameters["new"].parameter_type


def test_where_nothing_is_new_no_other_task_runs_and_else_all_do(tasks):
    assert reached(tasks, {"NewData"}) == {"NewData"}
    conditional = {name for name, task in tasks.items() if "triggerPolicy" in task}
    assert conditional == {"AudioExampleGen", "AudioSchemaGen"}
    assert reached(tasks, {"NewData"} | conditional) == set(tasks)


def test_the_verdict_is_kept_after_everything_and_no_cache_answers(tasks):
    assert {"MicroPusher", "Trainer", "NewData"} <= set(tasks["ModelKeeper"]["dependentTasks"])
    assert not tasks["NewData"]["cachingOptions"] and not tasks["ModelKeeper"]["cachingOptions"]


def test_the_first_task_is_told_every_parameter_of_the_run(spec, tasks):
    given = tasks["NewData"]["inputs"]["parameters"]
    counted = {name for name in spec["root"]["inputDefinitions"]["parameters"]}
    counted -= {"data", "destination", "force"}
    assert {name.removeprefix("given_") for name in given if name.startswith("given_")} == counted
    assert given["run_data"] == {"componentInputParameter": "data"}


def test_another_configuration_is_another_fingerprint(tasks):
    def settings(found):
        return found["NewData"]["inputs"]["parameters"]["settings"]["runtimeValue"]["constant"]

    other = compiled("training.mixup_alpha=0.2")["root"]["dag"]["tasks"]
    assert settings(other) != settings(tasks)
    assert settings(compiled()["root"]["dag"]["tasks"]) == settings(tasks)


def test_without_retrain_nothing_of_it_is_there():
    tasks = compiled(retrain=False)["root"]["dag"]["tasks"]
    assert "NewData" not in tasks
    assert "fingerprint" not in tasks["ModelKeeper"]["inputs"]["artifacts"]
    assert not any("triggerPolicy" in task for task in tasks.values())


def test_without_a_model_there_is_nothing_to_retrain():
    with pytest.raises(KwsError, match="nothing to retrain"):
        compiled("model=null", "training.warm_start=false")


def test_the_command_line_compiles_it_with_warm_start_and_the_gate_on_labels(tmp_path, capsys):
    file = tmp_path / "weekly.yaml"
    with pytest.raises(SystemExit) as stop:
        main(
            ["kubeflow", "compile", "--image", "i", "--pipeline-root", "gs://b/root", "--data",
             "gs://b/words", "--preset", "quickstart", "--retrain", "--out", str(file)]
        )  # fmt: skip
    assert not stop.value.code, capsys.readouterr().err
    assert "force" in capsys.readouterr().out
    tasks = yaml.safe_load(file.read_text())["root"]["dag"]["tasks"]
    assert {"NewData", "BaseModel"} <= set(tasks)
    judge = tasks["StreamingEvaluator"]["inputs"]["parameters"]["params"]["runtimeValue"]
    gates = json.loads(judge["constant"])["gates"]
    assert gates["max_miss_rate_rise_of_last"] == 0.2 and gates["against_last"]


def test_with_nothing_new_a_run_ends_after_its_first_task(spec, tasks, tmp_path):
    clip = tmp_path / "words" / "week-3" / "yes" / "a.wav"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"said")
    bundles = str(tmp_path / "bundles")
    places = {"gs://bucket/words": str(tmp_path / "words"), BUNDLES: bundles}

    first = Cluster(spec, tmp_path / "first", places=places)
    first.run_until("NewData")
    assert first.parameters["NewData"] == {"new": "true"}
    fingerprint = first.uri("NewData", "fingerprint").read_text()
    verdict = {"verdict": "refused", "at": "2026-01-31T03:12:45Z"}
    Registry(bundles).keep_verdict(fingerprint, verdict)

    second = Cluster(spec, tmp_path / "second", places=places)
    second.run()
    assert set(second.outputs) == {"NewData"}
    assert second.not_triggered == set(tasks) - {"NewData"}
    assert second.uri("NewData", "fingerprint").read_text() == fingerprint
