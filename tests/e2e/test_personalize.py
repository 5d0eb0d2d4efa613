"""A pushed model fitted to a user, as an engineer does it: one command, ten clips, a new bundle."""

import json
import shutil
from pathlib import Path

import pytest

from kws.micro import bundle

QUICK = ("--copies", "4", "--replay", "200", "--epochs", "2", "--max-drop", "1")


@pytest.fixture(scope="module")
def clips(pipeline, first_run, tmp_path_factory) -> Path:
    """Ten of the corpus's own clips, as if the user had recorded them."""
    corpora = Path(pipeline.environment["KWS_CACHE"]) / "corpora"
    (corpus,) = [path for path in corpora.iterdir() if not path.name.startswith(".")]
    folder = tmp_path_factory.mktemp("clips")
    for path in sorted((corpus / "left").glob("*.wav"))[:10]:
        shutil.copy(path, folder)
    return folder


def test_ten_clips_give_a_table_and_a_bundle_beside_the_run_s_own(pipeline, clips):
    (version, *_) = pipeline.versions
    others = pipeline.versions
    made = pipeline.kws(
        "personalize", str(version), "--clips", str(clips), "--keyword", "left", *QUICK
    )
    # Nothing may be won on clips like these: then it says so, and writes nothing.
    assert made.returncode in (0, 2), made.stdout + made.stderr
    for row in ("your clips, kept back", "in noise", "original test split", "test streams"):
        assert row in made.stdout
    assert made.stderr == "" and pipeline.versions == others
    personal = pipeline.out / "tiny" / "bundles-personal"
    if made.returncode == 2:
        assert "NOT written" in made.stdout and not list(personal.glob("[0-9]*"))
        return
    (folder,) = personal.glob("[0-9]*")
    assert folder.name in made.stdout.replace("\n", "")
    bundle.verify(folder)
    figures = json.loads((folder / "evaluation.json").read_text())["personalization"]
    assert figures["clips"] == 10
    assert figures["held_out"]["before"]["right"]["exposure"] == 3
    assert (folder / "labels.txt").read_text() == (version / "labels.txt").read_text()


def test_a_bundle_away_from_its_run_says_what_is_needed(pipeline, clips, tmp_path):
    (version, *_) = pipeline.versions
    away = shutil.copytree(version, tmp_path / "copied" / version.name)
    refused = pipeline.kws("personalize", str(away), "--clips", str(clips), "--keyword", "left")
    assert refused.returncode == 1
    assert "lies in no run" in refused.stderr and "--run runs/NAME" in refused.stderr
