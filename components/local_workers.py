"""Beam on all cores of this machine, where the data is large enough to earn it.

Beam's own `multi_processing` mode does the work: each worker is a process. Threads would not do:
Python's lock lets one of them work at a time. A worker loads Beam and TensorFlow, which takes five
seconds of a core and 0.6 GB, so small data stays in this process. What is written is the same byte
for byte (`components.records`), and the choice is made as the component runs: it is not a part of
TFX's cache key.

Whoever gives Beam a runner, a mode or a number of workers has chosen already.
"""

import contextlib
import dataclasses
import os
import shlex
import sys
from collections.abc import Iterator, Sequence

import apache_beam as beam
from absl import logging
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor

from kws import machine

WORKER_SECONDS = 15.0
"""Of work for each worker at the least: three times what it takes to start."""
WORKER_BYTES = 1 << 30
"""Of memory, whatever it works on: TensorFlow, Beam and some batches; 0.93 GB were measured."""
RESERVED_BYTES = 1 << 30
"""Left to the rest of the machine."""
_ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1"}
"""Of workers: their work needs no GPU, and TensorFlow takes all memory of any that it sees."""


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
        name = type(self).__module__.split(".")[-2]
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
        with _environment(), self._make_beam_pipeline() as pipeline:
            yield pipeline


def is_left_open(beam_pipeline_args: Sequence[str]) -> bool:
    """Whether Beam can start workers of its own on this machine, and nobody has said how many."""
    if shlex.quote(sys.executable) != sys.executable:
        return False  # Beam gives it to a shell as it is.
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


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """Of this process while workers, who inherit it, are started."""
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
