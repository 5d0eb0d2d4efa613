"""Beam on all cores of this machine, where the data is large enough to earn it.

Beam's own `multi_processing` mode does the work: each worker is a process. Threads would not do:
Python's lock lets one of them work at a time. A worker loads Beam and TensorFlow, which takes five
seconds of a core and 0.6 GB, so small data stays in this process. What is written is the same byte
for byte (`components.records`), and the choice is made as the component runs: it is not a part of
TFX's cache key.

If the options already name a runner, a mode or a number of workers, they are left unchanged.
"""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import apache_beam as beam
from absl import logging
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.portability import python_urns
from apache_beam.portability.api import endpoints_pb2
from apache_beam.runners.portability.fn_api_runner.worker_handlers import (
    BeamFnControlServicer,
    GrpcWorkerHandler,
    WorkerHandler,
)
from google.protobuf import json_format, text_format
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor

from kws import machine
from kws.errors import KwsError

WORKER_SECONDS = 15.0
"""Of work for each worker at the least: three times what it takes to start."""
WORKER_BYTES = 1 << 30
"""Of memory, whatever it works on: TensorFlow, Beam and some batches; 0.93 GB were measured."""
RESERVED_BYTES = 1 << 30
"""Left to the rest of the machine."""
_ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1"}
"""Of workers: their work needs no GPU, and TensorFlow takes all memory of any that it sees."""
_STOP_S = 1.0
"""A worker without work ends in this time; one that works is killed."""


@WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)
class WorkerProcess(GrpcWorkerHandler):
    """A worker of `multi_processing`; it takes the place of Beam's own.

    If a worker dies, as it does where memory runs out, Beam's own waits for its answer for ever.
    It also starts workers by a shell, which a space in the path of Python confuses, and waits for
    what they do at present where the run is stopped.
    """

    died: ClassVar[list[int]] = []
    """Exit codes of workers that ended before their work did."""
    _running: ClassVar[set["WorkerProcess"]] = set()

    def __init__(self, command: bytes, *context: Any):
        super().__init__(*context)

    def start_worker(self) -> None:
        def describe(url: str) -> str:
            return text_format.MessageToString(endpoints_pb2.ApiServiceDescriptor(url=url))

        options = self.provision_info.provision_info.pipeline_options
        self._process = subprocess.Popen(
            [sys.executable, "-m", "apache_beam.runners.worker.sdk_worker_main"],
            env={
                **os.environ,
                **_ENVIRONMENT,
                "CONTROL_API_SERVICE_DESCRIPTOR": describe(self.control_address),
                "LOGGING_API_SERVICE_DESCRIPTOR": describe(
                    self.logging_api_service_descriptor().url
                ),
                "PIPELINE_OPTIONS": json_format.MessageToJson(options),
                "WORKER_ID": self.worker_id,
            },
            # Ctrl-C is for the process that started them.
            start_new_session=True,
        )
        self._running.add(self)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        code = self._process.wait()
        if self in self._running:
            self.died.append(code)
            self.control_conn.abort(RuntimeError(f"a worker process ended with code {code}"))
            # Beam would wait for what the others are working on.
            for other in self._running - {self}:
                other._process.kill()

    def close(self) -> None:
        self._running.discard(self)
        self.control_conn.push(BeamFnControlServicer._DONE_MARKER)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_S)
        self._process.kill()  # What it works on is of no use any more.
        self._process.wait()
        super().close()

    def stop_worker(self) -> None:
        """`close` has."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Work:
    """What there is to do, as known before it is done.

    Attributes:
      seconds: of one core.
      worker_bytes: that every worker holds beside `WORKER_BYTES`.
      shared_bytes: that this process holds meanwhile.
    """

    seconds: float
    worker_bytes: int = 0
    shared_bytes: int = 0


class LocalWorkersExecutor(BaseBeamExecutor):
    """An executor whose pipeline runs on several processes where that is worth it."""

    @contextlib.contextmanager
    def make_pipeline(self, work: Work) -> Iterator[beam.Pipeline]:
        """A pipeline that runs as the context ends; as `_make_beam_pipeline` of TFX's executors."""
        # TFX's executors are all called Executor; their folder has the component's name.
        folder = type(self).__module__.split(".")[-2]
        name = "".join(part.capitalize() for part in folder.split("_"))
        workers = 1
        if self._make_beam_pipeline_fn is None and is_left_open(self._beam_pipeline_args):
            cores, free = machine.cores(), machine.available_memory()
            workers = worker_count(work, cores, free)
            memory = "unknown" if free is None else f"{free / 2**30:.1f} GiB"
            logging.info(
                "%s: %d worker process(es) for some %.0f s of work; %d cores, %s of memory free",
                *(name, workers, work.seconds, cores, memory),
            )
        if workers == 1:
            with self._make_beam_pipeline() as pipeline:
                yield pipeline
            return
        self._beam_pipeline_args = [*self._beam_pipeline_args, *flags(workers)]
        WorkerProcess.died.clear()
        try:
            with self._make_beam_pipeline() as pipeline:
                yield pipeline
        except Exception as error:
            if not WorkerProcess.died:
                raise
            code = WorkerProcess.died[0]
            why = ": the system ends one where memory runs out" if code == -signal.SIGKILL else ""
            raise KwsError(
                f"{name}: a worker process ended with code {code}{why}",
                hint=f"beam_pipeline_args_of.{name}=[--direct_num_workers=1] does without workers",
            ) from error


def is_left_open(beam_pipeline_args: Sequence[str]) -> bool:
    """Whether Beam can start workers of its own on this machine, and nobody has said how many."""
    options = PipelineOptions(list(beam_pipeline_args))
    runner = options.view_as(StandardOptions).runner or "DirectRunner"
    return runner == "DirectRunner" and not any(
        argument.partition("=")[0] in ("--direct_running_mode", "--direct_num_workers")
        for argument in beam_pipeline_args
    )


def worker_count(work: Work, cores: int, free_bytes: int | None) -> int:
    """Processes for the work; 1: this one alone, without another.

    Args:
      work: what there is to do.
      cores: of this machine.
      free_bytes: of memory; None where that is not known.
    """
    count = min(cores, int(work.seconds // WORKER_SECONDS))
    if free_bytes is not None:
        usable = free_bytes - RESERVED_BYTES - work.shared_bytes
        count = min(count, usable // (WORKER_BYTES + work.worker_bytes))
    return max(1, count)


def flags(workers: int) -> list[str]:
    """Beam's options for so many worker processes of this machine."""
    return ["--direct_running_mode=multi_processing", f"--direct_num_workers={workers}"]
