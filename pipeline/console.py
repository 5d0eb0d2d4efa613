"""A local run for a person: progress while it goes, one screen when it is over."""

import contextlib
import datetime
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from absl import logging as absl_logging
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from kws.errors import KwsError
from pipeline import results, source
from pipeline.data_summary import print_data_summary
from pipeline.local_runner import Job, LocalRunner
from pipeline.paths import Paths
from pipeline.steps import OURS, StepFollower
from pipeline.summary import print_summary


def run_with_summary(
    preset: str, overrides: Sequence[str], data: Path | None, out: Path, verbose: bool
) -> bool:
    """Runs the pipeline and prints what came of it.

    Returns:
      False if a gate refused the model; True if its bundle is at the destination, and where the
      configuration names no model.

    Raises:
      KwsError: of the configuration, the recordings or a component; the log file is named.
    """
    console = Console()
    job = Job.from_choice(preset, overrides, data, out)
    keywords = ", ".join(job.config.keywords)
    console.print(f"[bold]{job.config.name}[/bold]: {keywords}", highlight=False)
    with _log_file(job.paths, verbose) as log:
        with _source_bar(console) as progress:
            source.prepare(job.config, os.cpu_count() or 1, progress)
        follower = StepFollower(console)
        logging.getLogger().addHandler(follower)
        try:
            LocalRunner(job).run(job.pipeline())
        except Exception as error:
            follower.stop()
            raise _as_kws_error(error, log) from error
        finally:
            logging.getLogger().removeHandler(follower)
        # Inside: TFX's and TFMA's readers log as well.
        run = results.newest_run(job.paths.metadata)
        if job.config.model is None:
            print_data_summary(console, run)
            return True
        print_summary(console, run, job.paths)
    return run.pushed_to is not None


def _as_kws_error(error: BaseException, log: Path) -> KwsError:
    """Our own error wherever it hides in Beam's and TFX's chain; else the last line and the log."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KwsError):
            return seen
        seen = seen.__cause__ or seen.__context__
    text = str(error).strip()
    first = text.splitlines()[0] if text else type(error).__name__
    # Beam re-raises a worker's error as text; our sentence is still in it.
    for line in text.splitlines():
        if "kws.errors.KwsError: " in line:
            first = line.split("kws.errors.KwsError: ", 1)[1]
    return KwsError(first, hint=f"the whole story is in {log}")


@contextlib.contextmanager
def _log_file(paths: Paths, verbose: bool) -> Iterator[Path]:
    """Sends every log line to a file of this run, and to the console only if asked."""
    paths.logs.mkdir(parents=True, exist_ok=True)
    log = paths.logs / f"{datetime.datetime.now():%Y%m%d-%H%M%S}.log"
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers = [handler, *([logging.StreamHandler()] if verbose else [])]
    root.setLevel(logging.INFO)
    for name in OURS:  # libraries reset the root's level as they are imported
        logging.getLogger(name).setLevel(logging.INFO)
    absl_logging.use_absl_handler()
    root.removeHandler(absl_logging.get_absl_handler())
    absl_logging.set_verbosity(absl_logging.INFO)
    logging.captureWarnings(True)
    # TensorFlow's and TFLite's C++ code writes to file descriptor 2, past Python's logging.
    sys.stderr.flush()
    terminal = os.dup(2)
    if not verbose:
        os.dup2(_descriptor(handler), 2)
    try:
        yield log
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
        handler.close()
        root.handlers, root.level = before


def _descriptor(handler: logging.FileHandler) -> int:
    assert handler.stream is not None  # opened by the constructor, as delay is not asked for
    return handler.stream.fileno()


@contextlib.contextmanager
def _source_bar(console: Console) -> Iterator[source.Progress]:
    """A progress bar that appears once there is something to load, unpack or synthesize; in a log,
    a line for every tenth."""
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}, about"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, TaskID] = {}
        tenths: dict[str, int] = {}

        def update(
            done: int, total: int, seconds: float, what: str = "Voices", unit: str = "clips"
        ) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, visible=False, unit=unit)
            bar.update(tasks[what], completed=done, total=total or None, visible=done < total)
            if not console.is_terminal and total and done * 10 // total > tenths.get(what, 0):
                tenths[what] = done * 10 // total
                console.print(f"  {what}: {done} of {total} {unit}, {seconds:.0f} s")

        yield update
