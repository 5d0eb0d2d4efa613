"""A pushed model fitted to a user, as an engineer does it: one command, ten clips, a new bundle."""

import json
import shutil
from pathlib import Path

import pytest

from kws.bundle import publishing


@pytest.fixture(scope="module")
def clips(pipeline, first_run, tmp_path_factory) -> Path:
    """Ten clips of a word that the model was taught not to wake up to: the user's way to say left.

    None is recognised before, so that none fewer can be afterwards.
    """
    corpora = Path(pipeline.environment["KWS_CACHE"]) / "corpora"
    (corpus,) = [path for path in corpora.iterdir() if not path.name.startswith(".")]
    folder = tmp_path_factory.mktemp("clips")
    for path in sorted((corpus / "music").glob("*.wav"))[:10]:
        shutil.copy(path, folder)
    return folder


def personalize(pipeline, clips, *options: str):
    (version, *_) = pipeline.versions
    return pipeline.kws(
        "personalize", str(version), "--clips", str(clips), "--keyword", "left", *options
    )


def test_ten_clips_give_a_table_and_a_bundle_beside_the_run_s_own(pipeline, clips):
    (version, *_) = others = pipeline.versions
    # What two epochs on a toy do to its streams is chance: that gate has tests of its own.
    made = personalize(
        pipeline, clips, "--copies", "4", "--replay", "200", "--epochs", "2", "--max-drop", "1",
        "--set", "streaming.gates.against_last=false",
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    assert "10 clips of keywords: 3 kept back to judge by" in " ".join(made.stdout.split())
    for row in ("your clips, kept back", "in noise", "original test split", "test streams"):
        assert row in made.stdout
    assert made.stderr == "" and pipeline.versions == others
    (folder,) = (pipeline.out / "tiny" / "bundles-personal").glob("[0-9]*")
    assert folder.name in made.stdout.replace("\n", "")
    publishing.verify(folder)
    written = json.loads((folder / "evaluation.json").read_text())
    figures = written["personalization"]
    for when in ("before", "after"):
        assert figures["held_out"][when]["right"]["exposure"] == 3
        assert figures["in_noise"][when]["right"]["exposure"] == 30
    held = {gate["name"] for gate in written["gates"]}
    assert {"clips.accuracy_diff", "own_clips.accuracy_diff", "streaming.miss_rate"} <= held
    assert (folder / "labels.txt").read_text() == (version / "labels.txt").read_text()
    # The data of the base made the model; no recording of the person is in the bundle.
    assert written["data"] == json.loads((version / "evaluation.json").read_text())["data"]
    index = json.loads((folder / "test_vectors" / "index.json").read_text())
    assert index == json.loads((version / "test_vectors" / "index.json").read_text())


def test_the_same_pipeline_runs_by_its_written_configuration_and_has_nothing_left_to_do(pipeline):
    run = pipeline.out / "tiny" / "tiny-personal"
    again = pipeline.kws(
        "run", "--preset", str(run / "personal.yaml"), "--out", str(run.parent),
        "--set", "streaming.gates.against_last=false",
    )  # fmt: skip
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Nothing has changed since the last run" in again.stdout
    refused = pipeline.kws("personalize", str(run), "--clips", str(run))
    assert refused.returncode == 1 and "was fitted to one person already" in refused.stderr


def test_a_model_that_forgot_the_original_words_is_not_pushed(pipeline, clips, tmp_path):
    # One label and nothing replayed: it learns to answer left to everything.
    made = personalize(
        pipeline, clips, "--copies", "4", "--replay", "0", "--epochs", "200", "--max-drop", "0",
        "--out", str(tmp_path / "personal"),
    )  # fmt: skip
    assert made.returncode == 2, made.stdout + made.stderr
    reasons = made.stdout.split("NOT pushed")[1]
    assert "clips.accuracy_diff = -" in reasons and "own_clips." not in reasons
    assert "fewer --epochs may help" in reasons
    assert not list(tmp_path.glob("personal/[0-9]*"))


def test_wrong_clips_are_refused_before_anything_runs(pipeline, tmp_path):
    refused = personalize(pipeline, tmp_path)
    assert refused.returncode == 1 and refused.stdout == ""
    assert "holds no recordings" in refused.stderr and "about ten clips" in refused.stderr


def test_a_bundle_away_from_its_run_says_what_is_needed(pipeline, clips, tmp_path):
    (version, *_) = pipeline.versions
    away = shutil.copytree(version, tmp_path / "copied" / version.name)
    refused = pipeline.kws("personalize", str(away), "--clips", str(clips), "--keyword", "left")
    assert refused.returncode == 1
    assert "lies in no run" in refused.stderr and "--run runs/NAME" in refused.stderr
