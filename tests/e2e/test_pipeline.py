"""The whole pipeline, from text to a pushed bundle, as a user runs it. The tests build on each
other's runs in the order of this file; each leaves the output folder fit for the next."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kws.bundle import publishing
from tests.e2e.conftest import PRESET

EXPECTED = {
    "model.tflite", "model_float_io.tflite", "model.h", "model.cc", "manifest.json", "labels.txt",
    "frontend.json", "frontend_params.h", "ops_resolver.h", "detector.h", "arena.h", "main.cc",
    "evaluation.json", "model_card.md", "SHA256SUMS", "test_vectors", "lineage.json",
}  # fmt: skip


def test_a_first_run_pushes_a_bundle_that_verifies(pipeline, first_run):
    assert first_run.returncode == 0, first_run.stdout + first_run.stderr
    (version,) = pipeline.versions
    assert {path.name for path in version.iterdir()} == EXPECTED
    publishing.verify(version)
    assert (version / "labels.txt").read_text().split() == [
        "_silence_", "_unknown_", "left", "forward",
    ]  # fmt: skip


def test_the_last_screen_has_the_figures_and_the_place(pipeline, first_run):
    screen = first_run.stdout
    for figure in ("precision", "Confusion matrix", "false accepts/h", "missed", "arena", "PUSHED"):
        assert figure in screen
    assert pipeline.versions[0].name in screen.replace("\n", "")


def test_nothing_is_printed_by_libraries(first_run):
    assert first_run.stderr == ""


def test_nothing_is_left_in_the_folder_for_temporary_files(pipeline, first_run):
    assert [path.name for path in pipeline.temporary.iterdir()] == []


def test_an_unchanged_run_does_nothing_and_says_so(pipeline, first_run):
    second = pipeline.run()
    assert second.returncode == 0, second.stdout + second.stderr
    assert "Nothing has changed" in second.stdout
    assert len(pipeline.versions) == 1


def test_the_evaluation_rests_on_the_int8_file_of_the_bundle(pipeline, first_run):
    # An independent path to the same figures: the bundle over the corpus's own test clips.
    (version,) = pipeline.versions
    corpora = Path(pipeline.environment["KWS_CACHE"]) / "corpora"
    (corpus,) = [path for path in corpora.iterdir() if not path.name.startswith(".")]
    listed = corpus / "testing_list.txt"
    result = pipeline.kws(
        "evaluate", str(corpus), "--bundle", str(version), "--only", str(listed), "--json"
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    words = [line.split("/")[0] for line in listed.read_text().split()]
    said = dict(zip(report["labels"], map(sum, report["counts"]), strict=True))
    assert said["left"] == words.count("left") and said["forward"] == words.count("forward")
    # TFMA judged the same clips, and a noisy copy of each.
    judged = json.loads((version / "evaluation.json").read_text())["clips"]["confusion_matrix"]
    assert sum(judged["counts"][judged["labels"].index("left")]) == 2 * said["left"]


@pytest.mark.parametrize(
    ("override", "gate"),
    [
        ("evaluation.per_class={left: {min_precision: 1.0, min_recall: 1.0}, _unknown_: "
         "{max_false_positive_rate: 0.0}}", "clips."),
        ("streaming.gates={max_miss_rate: 0.0, max_false_accepts_per_hour: 0.0}", "streaming."),
        ("budget.max_arena_bytes=1000", "micro.arena_bytes"),
    ],
)  # fmt: skip
def test_each_gate_in_turn_keeps_the_model_from_being_pushed(pipeline, first_run, override, gate):
    refused = pipeline.run(override)
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "NOT pushed" in refused.stdout
    last = refused.stdout.split("NOT pushed")[1]
    assert gate in last and "failed by" in last
    assert len(pipeline.versions) == 1


def test_a_killed_run_goes_on_where_it_was(pipeline, first_run):
    # Not compared with the last model: the other limits are ones that any model keeps.
    settings = (
        "training.epochs=13",
        "evaluation.max_accuracy_drop_from_last=1",
        "streaming.gates={max_miss_rate: 1.0, against_last: false}",
    )
    before = len(pipeline.versions)
    command = [str(Path(sys.executable).parent / "kws"), *pipeline.arguments(*settings)]
    process = subprocess.Popen(command, env=pipeline.environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "SpectrogramTransform" in line:  # its result is published; training has begun
            process.kill()
            break
    process.wait()
    again = pipeline.run(*settings)
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(pipeline.versions) == before + 1
    assert "Reused from earlier runs" in again.stdout
    reused = again.stdout.split("Reused from earlier runs:")[1]
    assert "SpectrogramTransform" in reused and "Trainer" not in reused


def test_the_same_pipeline_runs_by_tfx_own_command_line(pipeline, first_run, tmp_path):
    runner = Path(__file__).parents[2] / "pipeline" / "runners" / "local.py"
    environment = {
        **pipeline.environment,
        "KWS_PRESET": str(PRESET),
        "KWS_OUT": str(pipeline.out),
        "KWS_SET": "training.epochs=12",
        "HOME": str(tmp_path),
        "TFX_HOME": str(tmp_path / "tfx"),
        "KWS_CACHE": pipeline.environment["KWS_CACHE"],
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    for arguments in (
        ["pipeline", "create", "--engine", "local", "--pipeline-path", str(runner)],
        ["run", "create", "--engine", "local", "--pipeline-name", "tiny"],
    ):
        result = subprocess.run(
            ["tfx", *arguments], env=environment, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    assert len(pipeline.versions) >= 1
