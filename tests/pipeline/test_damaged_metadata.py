"""A `metadata.sqlite` that cannot be read is named, with what to do, by whoever opens it."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from kws.errors import KwsError
from pipeline import metadata_store
from pipeline.config import load
from pipeline.paths import Paths
from pipeline.runs import corpus_figures, results


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("good") / "metadata.sqlite"
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(file)
    config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = MetadataStore(config)
    kind = store.put_artifact_type(mlmd.ArtifactType(name="Any"))
    store.put_artifacts([mlmd.Artifact(type_id=kind, uri=f"/x/{n}" * 20) for n in range(500)])
    return file


def _zeroed(file: Path, begin: float, end: float) -> None:
    content = bytearray(file.read_bytes())
    first, last = int(begin * len(content)), int(end * len(content))
    content[first:last] = bytes(last - first)
    file.write_bytes(content)


def _another_program(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE songs (name TEXT)")


DAMAGE = {
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("not a database\n" * 1000),
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "no head": lambda file: _zeroed(file, 0, 0.01),
    "middle": lambda file: _zeroed(file, 0.3, 0.9),
    "another program": _another_program,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_metadata_is_a_sentence_to_readers_and_to_a_run(good, tmp_path, damage, capfd):
    run = tmp_path / "quickstart"
    run.mkdir()
    shutil.copy(good, run / "metadata.sqlite")
    assert metadata_store.store(run / "metadata.sqlite").get_artifacts()
    DAMAGE[damage](run / "metadata.sqlite")
    with pytest.raises(KwsError, match=r"metadata.sqlite cannot be used as ML Metadata: ") as error:
        results.newest_run(corpus_figures.newest_metadata(run))
    assert "\n" not in str(error.value) and "kws run" in error.value.hint
    if damage != "empty":  # what a first run killed at once leaves behind
        with pytest.raises(KwsError, match="cannot be used as ML Metadata"):
            metadata_store.prepare(load("quickstart"), Paths(out=tmp_path, name="quickstart"))
    assert capfd.readouterr().err == ""


def test_a_file_or_a_folder_without_rights_as_out_is_a_sentence(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(OSError) as error:
        metadata_store.prepare(load("quickstart"), Paths(out=tmp_path / "runs", name="quickstart"))
    from kws.errors import of_system

    assert "a file stands where a folder is needed" in str(of_system(error.value))
