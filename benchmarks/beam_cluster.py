"""A cluster of Beam's own portability framework on this machine: a job server and workers.

    with cluster(workers=2) as found:
        beam.Pipeline(argv=found.flags)

What Flink and Spark do with Python pipelines is done here: the pipeline goes as a proto to a job
server, which is another process; every DoFn is pickled; the workers, each a process of its own, get
bundles, side inputs and shuffled data over gRPC and share neither memory nor environment with the
pipeline's process. They start in an empty folder, with a HOME and a TMPDIR of their own.

Beam's own `local_job_service_main` is this server with one worker. `python -m
benchmarks.beam_cluster` is the server's process.
"""

import argparse
import contextlib
import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

START_S = 60
CODE = Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
      flags: Beam's options for it.
      groups: its process groups: the workers' pool, the job server.
    """

    flags: tuple[str, ...]
    groups: tuple[int, ...]

    def processor_seconds(self) -> float:
        """That its processes have taken so far, those that have ended included."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The name before may have spaces; state, parent, group, ... follow it.
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[2]) in self.groups:
                    ticks += sum(
                        map(int, fields[11:15])
                    )  # own, and of children that were waited for
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[Cluster]:
    """A cluster that lives as long as the context."""
    with tempfile.TemporaryDirectory(prefix="beam-cluster-") as place:
        folder = Path(place)
        pool_port = _free_port()
        port_file = folder / "port"
        server = ["-m", "benchmarks.beam_cluster", str(workers), str(port_file)]
        pool = ["-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={pool_port}"]
        with (
            _process(pool, folder / "workers") as pooled,
            _process(server, folder / "server") as serving,
            _temporary_files_in(folder / "submitted"),
        ):
            job_port = _wait_for(port_file, serving)
            flags = (
                "--runner=PortableRunner",
                f"--job_endpoint=localhost:{job_port}",
                # Of one request; the default of 60 s is too little on a machine that is busy.
                "--job_server_timeout=600",
                "--environment_type=EXTERNAL",
                f"--environment_config=localhost:{pool_port}",
            )
            yield Cluster(flags, (pooled.pid, serving.pid))


@contextlib.contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Where Beam submits a pipeline it makes temporary folders, and never removes them."""
    folder.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextlib.contextmanager
def _process(arguments: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process whose group ends with the context; what it says is in `said.log`."""
    for name in ("home", "tmp", "work"):
        (folder / name).mkdir(parents=True)
    environment = {
        # Beam's pool starts `python`: this one.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(CODE),
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with (folder / "said.log").open("wb") as said:
        started = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder / "work",
            env=environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield started
    except BaseException:
        sys.stderr.write((folder / "said.log").read_text(errors="replace")[-4000:])
        raise
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def _wait_for(port_file: Path, running: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + START_S
    while not port_file.exists():
        if running.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("Beam's job server did not start")
        time.sleep(0.05)
    return int(port_file.read_text())


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


def serve(workers: int, port_file: Path) -> None:
    """Runs the job server until it is killed."""
    from apache_beam.options.pipeline_options import DirectOptions
    from apache_beam.runners.portability import local_job_service
    from apache_beam.runners.portability.fn_api_runner import fn_runner

    class Job(local_job_service.BeamJob):
        """Beam's own, of which the number of workers is not one."""

        def _invoke_runner(self):
            options = self.pipeline_options()
            options.view_as(DirectOptions).direct_num_workers = workers
            runner = fn_runner.FnApiRunner(provision_info=self._provision_info)
            # `run_pipeline` reads it from the options; a job server enters one step later.
            runner._num_workers = workers
            return runner.run_via_runner_api(self._pipeline_proto, options)

    servicer = local_job_service.LocalJobServicer(beam_job_type=Job)
    port = servicer.start_grpc_server(0)
    written = port_file.with_suffix(".part")
    written.write_text(str(port))
    shutil.move(written, port_file)
    signal.pause()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Beam's job server, for `cluster`.")
    parser.add_argument("workers", type=int)
    parser.add_argument("port_file", type=Path)
    arguments = parser.parse_args()
    serve(arguments.workers, arguments.port_file)
