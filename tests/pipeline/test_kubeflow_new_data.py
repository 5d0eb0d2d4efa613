"""A pipeline compiled for a schedule: the first task decides whether the others run."""

import json
import subprocess
import sys

import pytest
import yaml

from components.new_data import judged
from kws.cli import main
from kws.errors import KwsError
from pipeline import kubeflow_runner
from pipeline.config import load
from pipeline.kubeflow_runner import Target, compile_spec

OVERRIDES = ("training.warm_start=true", "data.span_folder=week-{SPAN}", "data.path=/words")


def compiled(*overrides, retrain=True):
    config = load("quickstart", [*OVERRIDES, *overrides])
    target = Target(image="i", root="gs://bucket/root", data="gs://bucket/words", retrain=retrain)
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
    parsed = kubeflow_runner.parse(spec)
    task = parsed.root.dag.tasks["AudioExampleGen"]
    assert task.trigger_policy.condition == "inputs.parameter_values['new_data'] == 'true'"
    source = task.inputs.parameters["new_data"].task_output_parameter
    assert (source.producer_task, source.output_parameter_key) == ("NewData", "new")
    assert parsed.components["NewData"].output_definitions.parameters["new"].parameter_type


def test_where_nothing_is_new_no_other_task_runs_and_else_all_do(tasks):
    assert reached(tasks, {"NewData"}) == {"NewData"}
    conditional = {name for name, task in tasks.items() if "triggerPolicy" in task}
    assert {"AudioExampleGen", "ServedModel", "BaseModel"} <= conditional
    assert reached(tasks, {"NewData"} | conditional) == set(tasks)


def test_the_verdict_is_kept_after_everything_and_no_cache_answers(tasks):
    assert {"MicroPusher", "Trainer", "NewData"} <= set(tasks["VerdictKeeper"]["dependentTasks"])
    assert not tasks["NewData"]["cachingOptions"] and not tasks["VerdictKeeper"]["cachingOptions"]


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
    assert not {"NewData", "VerdictKeeper"} & set(tasks)
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


def test_the_container_says_by_a_parameter_whether_there_is_anything_new(spec, tasks, tmp_path):
    clip = tmp_path / "words" / "week-3" / "yes" / "a.wav"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"said")
    kept = tmp_path / "kept"

    def run(name):
        """The very command of the container, with what Kubeflow's driver would fill in."""
        defaults = {
            key: given["defaultValue"]
            for key, given in spec["root"]["inputDefinitions"]["parameters"].items()
        } | {"data": str(tmp_path / "words")}
        values = {
            key: defaults[value["componentInputParameter"]]
            if "componentInputParameter" in value
            else value["runtimeValue"]["constant"]
            for key, value in tasks["NewData"]["inputs"]["parameters"].items()
        } | {"folder": str(kept)}
        component = spec["components"]["NewData"]
        outputs = component["outputDefinitions"]
        invocation = {
            "inputs": {"parameterValues": values},
            "outputs": {
                "artifacts": {
                    key: {
                        "artifacts": [
                            {"name": key, "uri": str(tmp_path / name / key),
                             "type": artifact["artifactType"]}
                        ]
                    }
                    for key, artifact in outputs["artifacts"].items()
                },
                "parameters": {"new": {"outputFile": str(tmp_path / name / "parameter")}},
                "outputFile": str(tmp_path / name / "out.json"),
            },
        }  # fmt: skip
        container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        args = [json.dumps(invocation) if a == "{{$}}" else a for a in container["args"]]
        command = [sys.executable, *container["command"][1:], *args]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        reported = json.loads((tmp_path / name / "out.json").read_text())
        return reported["parameterValues"], (tmp_path / name / "fingerprint").read_text()

    said, fingerprint = run("first")
    assert said == {"new": "true"}
    judged.write(str(kept), fingerprint, {"verdict": "refused", "at": "2026-01-31T03:12:45Z"})
    assert run("second") == ({"new": "false"}, fingerprint)
