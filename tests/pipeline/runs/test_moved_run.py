"""A run's folder that was moved, copied or mounted elsewhere is read where it is."""

import json
import shutil
from pathlib import Path

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from kws.errors import KwsError
from pipeline import metadata_store
from pipeline.runs import corpus_figures, moved_run, results

DONE = mlmd.Execution.COMPLETE


def _open(file: Path) -> MetadataStore:
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(file)
    config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return MetadataStore(config)


def _write(folder: Path, steps: dict[str, str]) -> None:
    """A run as TFX leaves it: artifacts in its layout, `steps` from name to output key."""
    folder.mkdir(parents=True)
    store = _open(folder / "metadata.sqlite")
    contexts = {
        kind: store.put_context_type(mlmd.ContextType(name=kind))
        for kind in ("pipeline", "pipeline_run", "node")
    }
    any_type = store.put_artifact_type(mlmd.ArtifactType(name="Any"))
    for name, key in steps.items():
        kind = store.put_execution_type(mlmd.ExecutionType(name=f"components.{name}"))
        (number,) = store.put_executions([mlmd.Execution(type_id=kind, last_known_state=DONE)])
        place = folder / "artifacts" / name / key / str(number)
        place.mkdir(parents=True)
        (place / "from").write_text(str(folder))
        artifact = mlmd.Artifact(type_id=any_type, uri=str(place))
        artifact.custom_properties["pushed"].int_value = 1
        artifact.custom_properties["pushed_destination"].string_value = f"{folder}/bundles/17"
        artifact.custom_properties["elsewhere"].string_value = f"{folder}-2/bundles/17"
        event = mlmd.Event(type=mlmd.Event.OUTPUT, execution_id=number)
        event.path.steps.add().key = key
        event.path.steps.add().index = 0
        execution = mlmd.Execution(id=number, type_id=kind, last_known_state=DONE)
        execution.custom_properties["destination"].string_value = f"{folder}/bundles"
        names = (("pipeline", "p"), ("pipeline_run", "r"), ("node", f"p.{name}"))
        own = [mlmd.Context(type_id=contexts[kind], name=one) for kind, one in names]
        store.put_execution(
            execution, [(artifact, event)], own, reuse_context_if_already_exist=True
        )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    _write(
        tmp_path / "runs" / "tiny", {"StatisticsGen": "statistics", "MicroPusher": "pushed_model"}
    )
    return tmp_path / "runs" / "tiny"


def _folders(place: Path) -> list[Path]:
    read = results.newest_run(metadata_store.find(place))
    return [
        Path(item.uri) for step in read.steps for some in step.outputs.values() for item in some
    ]


def test_a_moved_run_is_read_where_it_is_now(run, tmp_path):
    moved = tmp_path / "elsewhere" / "other name"
    moved.parent.mkdir()
    run.rename(moved)
    folders = _folders(moved)
    assert len(folders) == 2 and all(folder.is_relative_to(moved) for folder in folders)
    assert all((folder / "from").is_file() for folder in folders)
    read = results.newest_run(metadata_store.find(moved))
    assert read.pushed_to == str(moved / "bundles" / "17")
    pusher = read.step("MicroPusher")
    assert pusher.settings["destination"] == str(moved / "bundles")
    # Only what lies below the folder has moved with it.
    assert pusher.custom_property("pushed_model", "elsewhere") == f"{run}-2/bundles/17"


def test_a_run_put_aside_is_not_taken_for_the_one_made_in_its_place(run, tmp_path):
    aside = run.with_name("tiny-old")
    run.rename(aside)
    _write(run, {"StatisticsGen": "statistics", "MicroPusher": "pushed_model"})
    for place in (aside, run):
        folders = _folders(place)
        assert folders and all(folder.is_relative_to(place) for folder in folders)


def test_what_was_imported_from_another_run_stays_there(run, tmp_path):
    other = tmp_path / "runs" / "other"
    _write(other, {"StatisticsGen": "statistics"})
    store = _open(run / "metadata.sqlite")
    kind = store.put_execution_type(mlmd.ExecutionType(name="Importer"))
    (importer,) = store.put_executions([mlmd.Execution(type_id=kind, last_known_state=DONE)])
    any_type = store.get_artifact_type("Any").id
    (imported,) = store.put_artifacts(
        [
            mlmd.Artifact(
                type_id=any_type, uri=str(other / "artifacts" / "StatisticsGen/statistics/1")
            )
        ]
    )
    event = mlmd.Event(type=mlmd.Event.OUTPUT, execution_id=importer, artifact_id=imported)
    event.path.steps.add().key = "result"
    store.put_events([event])
    moved = tmp_path / "moved"
    run.rename(moved)
    uris = [one.uri for one in metadata_store.store(moved / "metadata.sqlite").get_artifacts()]
    assert sum(uri.startswith(f"{moved}/") for uri in uris) == 2
    assert sum(uri.startswith(f"{other}/") for uri in uris) == 1


def test_metadata_copied_alone_still_names_the_artifacts_where_they_are(run, tmp_path):
    shutil.copy(run / "metadata.sqlite", tmp_path / "metadata.sqlite")
    uris = [one.uri for one in metadata_store.store(tmp_path / "metadata.sqlite").get_artifacts()]
    assert uris and all(uri.startswith(f"{run}/") for uri in uris)


def test_a_run_that_goes_on_elsewhere_has_it_written_down(run, tmp_path):
    moved = tmp_path / "moved" / "tiny"
    shutil.copytree(run, moved)
    store = _open(moved / "metadata.sqlite")
    assert moved_run.rewrite(store, moved, None) == [str(run)]
    assert all(one.uri.startswith(f"{moved}/") for one in store.get_artifacts())
    assert moved_run.rewrite(store, moved, None) == []
    # The original has its own.
    assert all(
        one.uri.startswith(f"{run}/") for one in _open(run / "metadata.sqlite").get_artifacts()
    )


def test_a_copy_that_shares_its_store_with_the_original_may_not_go_on(run, tmp_path):
    copy = tmp_path / "copy" / "tiny"
    shutil.copytree(run, copy)
    shared = _open(run / "metadata.sqlite")
    with pytest.raises(KwsError, match=r"is a copy of the run .* the same metadata store"):
        moved_run.rewrite(shared, copy, "tiny")
    shutil.rmtree(run / "artifacts")
    assert moved_run.rewrite(shared, copy, "another") == []
    assert moved_run.rewrite(shared, copy, "tiny") == [str(run)]


def test_data_whose_statistics_are_gone_is_not_no_data(run):
    with pytest.raises(KwsError, match=r"statistics of run r are gone .*kws run"):
        corpus_figures.figures(results.newest_run(metadata_store.find(run)))


def test_a_pointer_moves_with_the_run(run, tmp_path):
    (run / "metadata.sqlite").rename(tmp_path / "shared.sqlite")
    told = {"pipeline": "tiny", "metadata": {"sqlite": str(tmp_path / "shared.sqlite")}}
    (run / "metadata.json").write_text(json.dumps(told))
    moved = tmp_path / "moved"
    run.rename(moved)
    uris = [one.uri for one in metadata_store.store(moved / "metadata.json").get_artifacts()]
    assert uris and all(uri.startswith(f"{moved}/") for uri in uris)
