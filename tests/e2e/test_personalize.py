"""A pushed model fitted to a user, as an engineer does it: one command, ten clips, a new bundle."""

import json
import shutil
from pathlib import Path

import pytest

from kws.micro import bundle


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
    made = personalize(
        pipeline, clips, "--copies", "4", "--replay", "200", "--epochs", "2", "--max-drop", "1"
    )
    assert made.returncode == 0, made.stdout + made.stderr
    for row in ("your clips, kept back", "in noise", "original test split", "test streams"):
        assert row in made.stdout
    assert made.stderr == "" and pipeline.versions == others
    (folder,) = (pipeline.out / "tiny" / "bundles-personal").glob("[0-9]*")
    assert folder.name in made.stdout.replace("\n", "")
    bundle.verify(folder)
    figures = json.loads((folder / "evaluation.json").read_text())["personalization"]
    assert figures["clips"] == 10
    assert figures["held_out"]["before"]["right"]["exposure"] == 3
    assert (folder / "labels.txt").read_text() == (version / "labels.txt").read_text()


def test_a_model_that_forgot_the_original_words_is_not_written(pipeline, clips, tmp_path):
    # One label and nothing replayed: it learns to answer left to everything.
    made = personalize(
        pipeline, clips, "--copies", "4", "--replay", "0", "--epochs", "200", "--max-drop", "0",
        "--out", str(tmp_path / "personal"),
    )  # fmt: skip
    assert made.returncode == 2, made.stdout + made.stderr
    assert "NOT written" in made.stdout
    assert "accuracy on the original test split fell from" in made.stdout.replace("\n", " ")
    assert not list(tmp_path.glob("personal/[0-9]*"))


def test_a_bundle_away_from_its_run_says_what_is_needed(pipeline, clips, tmp_path):
    (version, *_) = pipeline.versions
    away = shutil.copytree(version, tmp_path / "copied" / version.name)
    refused = pipeline.kws("personalize", str(away), "--clips", str(clips), "--keyword", "left")
    assert refused.returncode == 1
    assert "lies in no run" in refused.stderr and "--run runs/NAME" in refused.stderr
