"""`kws lineage` of a bundle that a pipeline has pushed."""

import csv
import json
import shutil
import subprocess

import pytest

from tests.e2e.conftest import Pipeline
from tests.pipeline.database_servers import DATABASE, PASSWORD, USER, missing, server


def lineage(pipeline, *arguments: str) -> subprocess.CompletedProcess[str]:
    return pipeline.kws("lineage", *arguments)


def test_a_bundle_leads_back_to_every_clip(pipeline, first_run, tmp_path):
    bundle, listed = pipeline.versions[0], tmp_path / "clips.csv"
    made = lineage(pipeline, str(bundle), "--json", "--clips", str(listed))
    assert made.returncode == 0, made.stderr
    content = json.loads(made.stdout)
    told = content["lineage"]
    assert told["config"]["keywords"] == ["left", "forward"]
    assert told["code"]["trained"] == told["code"]["pushed"]
    assert told["float_model"]["training"]["training"]["epochs"] == 12
    assert content["checks"] and {check["agrees"] for check in content["checks"]} == {True}
    steps = json.dumps(content["metadata"])
    for step in ("MicroPusher", "MicroConverter", "Trainer", "AudioSynthesizer", "AudioExampleGen"):
        assert f'"{step}"' in steps
    rows = list(csv.DictReader(listed.open(newline="", encoding="utf-8")))
    for split, labels in told["data"]["clips"].items():
        found = [row["label"] for row in rows if row["split"] == split]
        assert {label: found.count(label) for label in labels} == labels
    # A bundle goes to strangers: it says nothing of the machine.
    assert str(pipeline.out) not in (bundle / "lineage.json").read_text()


def test_a_bundle_elsewhere_tells_what_it_can_and_more_if_its_run_is_named(
    pipeline, first_run, tmp_path
):
    moved = tmp_path / "far" / "away" / pipeline.versions[0].name
    shutil.copytree(pipeline.versions[0], moved)
    alone = lineage(pipeline, str(moved))
    assert alone.returncode == 0, alone.stderr
    assert "ML Metadata: not at hand" in alone.stdout
    for words in ("gates:", "training", "left", "epochs", "uv.lock", "digest"):
        assert words in alone.stdout
    known = lineage(pipeline, str(moved), "--metadata", str(pipeline.out / "tiny"))
    assert known.returncode == 0, known.stderr
    assert "by AudioExampleGen" in known.stdout and "float model: agrees" in known.stdout
    listed = lineage(pipeline, str(moved), "--clips", str(tmp_path / "clips.csv"))
    assert listed.returncode == 1 and "no run is at hand" in listed.stderr


def test_a_bundle_that_was_changed_has_no_lineage(pipeline, first_run, tmp_path):
    changed = tmp_path / pipeline.versions[0].name
    shutil.copytree(pipeline.versions[0], changed)
    (changed / "lineage.json").write_text("{}")
    made = lineage(pipeline, str(changed))
    assert made.returncode == 1 and "lineage.json is not the file that was pushed" in made.stderr


@pytest.mark.nightly
def test_a_whole_pipeline_keeps_its_metadata_on_a_server(tmp_path):
    reason = missing()
    if reason:
        pytest.skip(reason)
    with server() as made:
        pipeline = Pipeline(tmp_path)
        pipeline.environment["KWS_METADATA_PASSWORD"] = PASSWORD
        where = {"host": "127.0.0.1", "port": made.port, "database": DATABASE, "user": USER}
        setting = f"metadata={json.dumps({'mysql': where})}"
        first = pipeline.run(setting)
        assert first.returncode == 0, first.stdout + first.stderr
        assert first.stderr == "" and "Report:" in first.stdout
        second = pipeline.run(setting)
        assert "Nothing has changed" in second.stdout, second.stdout + second.stderr
        told = lineage(pipeline, str(pipeline.out / "tiny" / "bundles"), "--json")
        assert told.returncode == 0, told.stderr
        assert {check["agrees"] for check in json.loads(told.stdout)["checks"]} == {True}
        assert not (pipeline.out / "tiny" / "metadata.sqlite").exists()
        written = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert not [path for path in written if PASSWORD.encode() in path.read_bytes()]
        assert PASSWORD not in made.dump()
