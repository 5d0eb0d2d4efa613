"""A run's metadata lies in a file or on a server, and whoever reads finds it there; the password is
in no pipeline, no log, no file and no database. The server is a real one."""

import json
import logging
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tfx.v1 as tfx
from tfx.dsl.compiler import compiler

from components.audio_example_gen.component import AudioExampleGen
from components.registry.component import RegistryLookup
from components.statistics.options import statistics_options
from kws.errors import KwsError
from pipeline import metadata_store
from pipeline.config import load
from pipeline.metadata_params import PASSWORD_VARIABLE
from pipeline.paths import Paths
from pipeline.runners.local import Job, LocalRunner
from pipeline.runs import corpus_figures, results
from tests.pipeline.database_servers import DATABASE, PASSWORD, USER, Server, missing, server

SHARES = ("ingest.eval_percentage=30", "ingest.test_percentage=30", "ingest.seed=0")


def setting(made: Server, **changes: object) -> str:
    values = {"host": "127.0.0.1", "port": made.port, "database": DATABASE, "user": USER}
    return f"metadata={json.dumps({'mysql': {**values, **changes}})}"


@pytest.fixture(scope="module")
def running():
    reason = missing()
    if reason:
        pytest.skip(reason)
    with server() as made:
        yield made


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    for w, word in enumerate(("left", "other")):
        (folder / word).mkdir()
        for speaker in range(16):
            noise = np.random.default_rng(100 * w + speaker).normal(0, 0.1, 14000)
            soundfile.write(folder / word / f"{speaker:04x}_nohash_0.wav", noise, 16000)
    return folder


def job(out: Path, recordings: Path, *overrides: str) -> Job:
    chosen = ["keywords=[left]", "name=small", *SHARES[:2], "model=null", *overrides]
    return Job.from_choice("quickstart", chosen, recordings, out)


def run(job: Job, ingestion_alone: bool = False) -> results.Run:
    """Ingestion, statistics, and a lookup of those of earlier runs."""
    ingested = AudioExampleGen(input_base=str(job.config.data.path), params=job.config.ingest)
    statistics = tfx.components.StatisticsGen(
        examples=ingested.outputs["examples"], stats_options=statistics_options()
    )
    bundles = str(job.paths.bundles)
    previous = RegistryLookup(bundles, current=statistics.outputs["statistics"])
    LocalRunner(job).run(
        tfx.dsl.Pipeline(
            pipeline_name=job.config.name,
            pipeline_root=str(job.paths.root),
            components=[ingested] if ingestion_alone else [ingested, statistics, previous],
            enable_cache=True,
            metadata_connection_config=metadata_store.connection(job.config, job.paths),
            beam_pipeline_args=list(job.config.beam_pipeline_args),
        )
    )
    return results.newest_run(metadata_store.place_of(job.config, job.paths))


def test_a_pipeline_on_a_server_is_found_again_and_its_cache_answers(
    running, recordings, tmp_path, monkeypatch, caplog
):
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    chosen = job(tmp_path, recordings, setting(running))
    with caplog.at_level(logging.DEBUG):
        first = run(chosen)
        second = run(chosen)
    assert [step.state for step in first.steps] == ["done", "done", "done"]
    assert [step.state for step in second.steps] == ["cached", "cached", "cached"]
    assert first.run_id != second.run_id
    assert second.step("AudioExampleGen").custom_property("examples", "clips_train")
    assert not chosen.paths.metadata.exists()

    # A reader has only the run's folder. Another pipeline shares the store.
    other = job(tmp_path, recordings, setting(running), "name=another")
    latest = run(other, ingestion_alone=True)
    assert (
        results.newest_run(corpus_figures.newest_metadata(tmp_path / "small")).run_id
        == second.run_id
    )
    assert results.newest_run(corpus_figures.newest_metadata(tmp_path)).run_id == latest.run_id

    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert written and not any(PASSWORD.encode() in content for content in written)
    assert PASSWORD not in caplog.text and "Using connection config" in caplog.text
    assert "pipeline_run" in running.dump() and PASSWORD not in running.dump()


def test_the_pipeline_that_tfx_keeps_has_no_password(running, recordings, tmp_path, monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    compiled = compiler.Compiler().compile(job(tmp_path, recordings, setting(running)).pipeline())
    content = compiled.SerializeToString()
    assert DATABASE.encode() in content and PASSWORD.encode() not in content


def test_the_password_may_be_in_a_file(running, tmp_path, monkeypatch):
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    Path("secret").write_text(PASSWORD + "\n")
    config = load("quickstart", [setting(running, password_file="secret")])
    paths = Paths(out=tmp_path / "runs", name=config.name)
    metadata_store.prepare(config, paths)
    monkeypatch.chdir("/")  # the pointer holds wherever it is read
    pointer = tmp_path / "runs" / "quickstart" / "metadata.json"
    assert metadata_store.store(pointer).get_contexts_by_type("nothing") == []
    assert PASSWORD not in pointer.read_text()


@pytest.mark.parametrize(
    ("changes", "password", "sentence", "hint"),
    [
        ({"host": "nobody.invalid"}, PASSWORD, "on nobody.invalid:", "host"),
        ({"port": 1}, PASSWORD, "on 127.0.0.1:1: Connection refused", "is the server up"),
        ({}, "wrong", f"user '{USER}' is not let in", PASSWORD_VARIABLE),
        ({}, "", f"user '{USER}' is not let in", f"{PASSWORD_VARIABLE}, which gives none"),
        ({"user": "stranger"}, PASSWORD, "user 'stranger' is not let in", PASSWORD_VARIABLE),
        ({"database": "nothing"}, PASSWORD, "there is no database 'nothing'", "CREATE DATABASE"),
    ],
)
def test_a_store_that_cannot_be_opened_is_one_sentence(
    running, tmp_path, monkeypatch, capfd, changes, password, sentence, hint
):
    monkeypatch.setenv(PASSWORD_VARIABLE, password)
    if "database" in changes:
        # What a user has no rights for is as good as not there.
        running.sql(f"GRANT ALL ON nothing.* TO {USER}@localhost")
    config = load("quickstart", [setting(running, **changes)])
    with pytest.raises(KwsError) as refused:
        metadata_store.prepare(config, Paths(out=tmp_path, name=config.name))
    assert sentence in refused.value.message and "\n" not in refused.value.message
    assert hint in refused.value.hint
    assert password == "" or password not in str(refused.value)
    assert capfd.readouterr() == ("", "")
    assert metadata_store.find(tmp_path / config.name) is None


def test_a_password_in_a_configuration_is_refused_without_being_repeated():
    with pytest.raises(KwsError, match=r"metadata\.mysql\.password: a password") as refused:
        load("quickstart", ["metadata={mysql: {host: h, database: d, user: u, password: p4ss}}"])
    assert "p4ss" not in str(refused.value) and PASSWORD_VARIABLE in refused.value.hint
    with pytest.raises(KwsError, match=r"metadata: sqlite and mysql: .*give one"):
        load("quickstart", ["metadata={sqlite: m, mysql: {host: h, database: d, user: u}}"])


def test_a_host_or_user_with_another_setting_in_it_is_refused():
    for changes in ("host: 'h password=x', user: u", "host: h, user: 'u host=elsewhere'"):
        with pytest.raises(KwsError, match=r"metadata\.mysql"):
            load("quickstart", [f"metadata={{mysql: {{database: d, {changes}}}}}"])


def test_a_password_file_that_is_not_there_is_named(tmp_path):
    gone = str(tmp_path / "gone")
    chosen = {"mysql": {"host": "h", "database": "d", "user": "u", "password_file": gone}}
    config = load("quickstart", [f"metadata={json.dumps(chosen)}"])
    with pytest.raises(KwsError, match=f"{gone}: No such file"):
        config.metadata.mysql.password()


def test_a_file_elsewhere_is_found_from_the_runs_folder(recordings, tmp_path):
    shared = tmp_path / "team" / "metadata.sqlite"
    chosen = job(tmp_path / "runs", recordings, f"metadata={{sqlite: {shared}}}")
    made = run(chosen, ingestion_alone=True)
    assert shared.is_file() and stat.S_ISREG(os.stat(shared).st_mode)
    assert (
        results.newest_run(corpus_figures.newest_metadata(tmp_path / "runs")).run_id == made.run_id
    )
    # Back to the default: the pointer is gone, and nothing is found of a run that was elsewhere.
    metadata_store.prepare(load("quickstart", ["name=small"]), chosen.paths)
    assert metadata_store.find(tmp_path / "runs" / "small") is None


def test_a_pointer_that_is_none_is_named(tmp_path):
    (tmp_path / "metadata.json").write_text("{}")
    with pytest.raises(KwsError, match=r"metadata\.json does not say where"):
        results.newest_run(tmp_path / "metadata.json")
    with pytest.raises(KwsError, match="no run has been here"):
        results.newest_run(tmp_path / "metadata.sqlite")
