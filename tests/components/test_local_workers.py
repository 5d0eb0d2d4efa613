"""Worker processes of this machine: when there are some, and what happens if one dies."""

import os
import signal
import threading
import time

import apache_beam as beam
import pytest
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor

from components import beam_args, local_workers
from components.local_workers import LocalWorkersExecutor, Work, is_left_open, worker_count
from kws.errors import KwsError
from pipeline.config import Config
from tests.components import worker_steps

GIB = 2**30


@pytest.mark.parametrize(
    ("work", "cores", "free", "expected"),
    [
        (Work(seconds=5), 16, 64 * GIB, 1),  # less than the workers would take to start
        (Work(seconds=29), 16, 64 * GIB, 1),
        (Work(seconds=30), 16, 64 * GIB, 2),
        (Work(seconds=100), 16, 64 * GIB, 6),
        (Work(seconds=1e6), 16, 64 * GIB, 16),
        (Work(seconds=1e6), 1, 64 * GIB, 1),
        (Work(seconds=1e6), 16, 4 * GIB, 3),  # one is left to the rest of the machine
        (Work(seconds=1e6), 16, GIB // 2, 1),
        (Work(seconds=1e6, worker_bytes=GIB), 16, 9 * GIB, 4),
        (Work(seconds=1e6, shared_bytes=6 * GIB), 16, 9 * GIB, 2),
        (Work(seconds=1e6), 16, None, 16),
    ],
)
def test_workers_are_as_many_as_work_cores_and_memory_allow(work, cores, free, expected):
    assert worker_count(work, cores, free) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], True),
        (Config.model_fields["beam_pipeline_args"].default, True),
        (["--direct_num_workers=1"], False),
        (["--direct_num_workers", "1"], False),
        (["--direct_running_mode=multi_threading"], False),
        (["--runner=PrismRunner"], False),
        (["--runner=PortableRunner", "--environment_type=LOOPBACK"], False),
    ],
)
def test_what_the_user_says_of_workers_holds(flags, expected):
    assert is_left_open([*flags, beam_args.PACKAGES_ARE_THERE]) is expected


class Executor(LocalWorkersExecutor):
    def Do(self, *_: object) -> None:
        raise NotImplementedError


def executor(monkeypatch: pytest.MonkeyPatch, workers: int) -> Executor:
    monkeypatch.setattr(local_workers, "worker_count", lambda *_: workers)
    return Executor(
        BaseBeamExecutor.Context(beam_pipeline_args=beam_args.complete(["--runner=DirectRunner"]))
    )


def test_the_work_is_done_by_other_processes_that_see_no_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with executor(monkeypatch, 2).make_pipeline(Work(seconds=0)) as pipeline:
        pipeline | beam.Create(range(4)) | beam.Map(worker_steps.note, str(tmp_path))
    found = {int(path.name): path.read_text() for path in tmp_path.iterdir()}
    assert len(found) == 2 and os.getpid() not in found
    assert set(found.values()) == {"-1"}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    for process in found:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_a_worker_that_is_killed_ends_the_run_with_a_sentence(tmp_path, monkeypatch):
    def kill_one() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        os.kill(int(min(path.name for path in tmp_path.iterdir())), signal.SIGKILL)

    threading.Thread(target=kill_one, daemon=True).start()
    with (
        pytest.raises(KwsError, match=r"Components: a worker process ended with code -9.*memory"),
        executor(monkeypatch, 2).make_pipeline(Work(seconds=0)) as pipeline,
    ):
        pipeline | beam.Create(range(4)) | beam.Map(worker_steps.work_for_ever, str(tmp_path))
    for path in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.name), 0)


def test_an_error_in_a_worker_is_not_taken_for_its_death(tmp_path, monkeypatch):
    with (
        pytest.raises(RuntimeError, match="division by zero"),
        executor(monkeypatch, 2).make_pipeline(Work(seconds=0)) as pipeline,
    ):
        pipeline | beam.Create([0]) | beam.Map(worker_steps.fail)
