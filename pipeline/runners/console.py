"""A local run for a person: progress while it goes, one screen when it is over."""

import dataclasses
import errno
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from kws import storage
from kws.errors import WHAT_TO_DO, KwsError, of_system
from kws.terminal import Terminal, headed
from pipeline import metadata_store, source
from pipeline.report import write_after_run
from pipeline.resolve import write_dropped_clips
from pipeline.runners.local import Job, LocalRunner
from pipeline.runners.terminal_progress import StepFollower, log_file, source_bar
from pipeline.runs import corpus_figures, results
from pipeline.runs.summary import print_data_summary, print_summary

DISK = {
    errno.ENOSPC: ("No space left on device", "database or disk is full"),
    errno.EDQUOT: ("Disk quota exceeded",),
    errno.EROFS: ("Read-only file system",),
    errno.EFBIG: ("File too large",),
    errno.EIO: ("Input/output error", "disk I/O error"),
}
"""What stops any step, whatever it does; with the words of the libraries that hide the number."""


def run_with_summary(
    preset: str,
    overrides: Sequence[str],
    data: Path | None,
    out: Path,
    verbose: bool,
    fresh: bool = False,
) -> bool:
    """Runs the pipeline and prints what came of it.

    Args:
      preset, overrides, data, out: see `Job.from_choice`.
      verbose: see `run_job`.
      fresh: what a killed training or search would resume from is deleted first.

    Returns:
      False if a gate refused the model; True if its bundle is at the destination, and where the
      configuration names no model.

    Raises:
      KwsError: of the configuration, the recordings or a component; the log file is named.
    """
    job = Job.from_choice(preset, overrides, data, out)
    return run_job(job, Terminal(), verbose, fresh=fresh).accepted


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run came to.

    Attributes:
      accepted: no gate refused the model, or there is none.
      pushed_to: path or URL of the bundle, if any.
      reasons: a sentence for each gate that refused.
      drift: a sentence for each distance of the data from those before.
    """

    accepted: bool
    pushed_to: str | None = None
    reasons: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()


def run_job(
    job: Job, console: Console, verbose: bool = False, cache: bool = True, fresh: bool = False
) -> Outcome:
    """Runs a configured pipeline and prints what came of it.

    While another process runs a pipeline in the same folder, this one says so and waits.

    Args:
      job: the pipeline.
      console: where to print.
      verbose: TFX's own log is shown too.
      cache: results of earlier runs are taken where nothing has changed.
      fresh: see `run_with_summary`.

    Raises:
      KwsError: see `run_with_summary`.
    """

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    with storage.announce_waiting(say), job.alone():
        if fresh:
            for folder in (job.paths.checkpoints, job.paths.tuning):
                storage.remove(folder)
        return _run(job, console, verbose, cache)


def _run(job: Job, console: Console, verbose: bool, cache: bool) -> Outcome:
    keywords = ", ".join(job.config.keywords)
    console.print(headed(job.config.name, f": {keywords}"))
    for credit in job.config.data.credits():
        console.print(f"Recordings of {credit}", highlight=False, soft_wrap=True)
    for sentence in job.config.data.restrictions():
        console.print(headed("The model will not be pushed", f": {sentence}", style="yellow"))
    for former in metadata_store.prepare(job.config, job.paths):
        console.print(
            f"This run was moved from {former}: its results are used from where they are now, and "
            "steps that depend on the folder's name run again.",
            highlight=False,
            soft_wrap=True,
        )
    with log_file(job.paths.logs, verbose) as log:
        with source_bar(console) as progress:
            source.prepare(job.config, os.cpu_count() or 1, progress)
        place = metadata_store.place_of(job.config, job.paths)
        if dropped := write_dropped_clips(job.config, place.parent):
            console.print(dropped, highlight=False, markup=False, soft_wrap=True)
        follower = StepFollower(console)
        logging.getLogger().addHandler(follower)
        try:
            pipeline = job.pipeline()
            pipeline.enable_cache = cache
            LocalRunner(job).run(pipeline)
        except Exception as error:
            follower.stop()
            raise _as_kws_error(error, log) from error
        finally:
            logging.getLogger().removeHandler(follower)
        # Inside: TFX's and TFMA's readers log as well.
        run = results.newest_run(place)
        if job.config.model is None:
            print_data_summary(console, run)
            return Outcome(accepted=True)
        print_summary(console, run, job.paths)
        write_after_run(console, place)
        return Outcome(
            accepted=run.pushed_to is not None,
            pushed_to=run.pushed_to,
            reasons=tuple(g.sentence() for g in results.gates(run) if not g.passed),
            drift=tuple(said for said, _ in corpus_figures.sentences(run, "drift")),
        )


def _as_kws_error(error: BaseException, log: Path) -> KwsError:
    """Our own error wherever it hides in Beam's and TFX's chain; else the last line and the log."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KwsError):
            return seen
        if isinstance(seen, OSError) and seen.errno in DISK and (known := of_system(seen)):
            return KwsError(known.message, hint=f"{known.hint}; then run the same command again")
        seen = seen.__cause__ or seen.__context__
    text = str(error).strip()
    # TensorFlow, ML Metadata and Beam's workers have only the system's words.
    for number, words in DISK.items():
        if any(one in text for one in words):
            hint = f"{WHAT_TO_DO[number]}; then run the same command again (log: {log})"
            return KwsError(words[0], hint=hint)
    first = text.splitlines()[0] if text else type(error).__name__
    # Beam re-raises a worker's error as text; our sentence is still in it.
    for line in text.splitlines():
        if "kws.errors.KwsError: " in line:
            first = line.split("kws.errors.KwsError: ", 1)[1]
    return KwsError(first, hint=f"the whole story is in {log}")
