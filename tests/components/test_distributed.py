"""The Beam parts in worker processes behind a job server: the same bytes as in this process."""

from pathlib import Path

import pytest

from benchmarks.beam_cluster import cluster
from tests.components.beam_parts import Parts, records
from tests.components.test_audio_example_gen import fill
from tests.kws.micro.conftest import Trial, trial  # noqa: F401


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    fill(folder)
    return folder


@pytest.fixture(scope="module")
def here(corpus, trial, tmp_path_factory) -> dict[str, list[bytes]]:  # noqa: F811
    """What all parts write in this process, one worker in memory."""
    root = str(tmp_path_factory.mktemp("here"))
    Parts(root=root).run(str(corpus), trial)
    return records(root)


def test_two_worker_processes_behind_a_job_server_write_the_same(
    corpus: Path, trial: Trial, here: dict[str, list[bytes]], tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    with cluster(workers=2) as flags:
        Parts(root=str(tmp_path), flags=flags).run(str(corpus), trial)
    there = records(str(tmp_path))
    assert sorted(there) == sorted(here)
    assert [name for name in here if there[name] != here[name]] == []
