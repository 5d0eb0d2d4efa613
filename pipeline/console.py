"""A local run for a person: progress while it goes, one screen when it is over."""

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

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
from pipeline import metadata_store, results, source
from pipeline.data_summary import print_data_summary
from pipeline.local_runner import Job, LocalRunner
from pipeline.log_file import log_file
from pipeline.report_file import write_after_run
from pipeline.steps import StepFollower
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
    metadata_store.prepare(job.config, job.paths)
    with log_file(job.paths.logs, verbose) as log:
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
        run = results.newest_run(metadata_store.place_of(job.config, job.paths))
        if job.config.model is None:
            print_data_summary(console, run)
            return True
        print_summary(console, run, job.paths)
        write_after_run(console, job.paths.metadata)
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
