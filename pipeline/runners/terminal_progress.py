"""Progress of a local run in the terminal, with everything else in a log file.

It shows what is downloaded, unpacked or synthesized before the run with an estimate of the
remaining time, and then which component is running, its messages and how long it took. TFX's
local runner announces its components only in the log, so the follower is a log handler.
"""

import contextlib
import datetime
import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from absl import logging as absl_logging
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.status import Status
from rich.text import Text

from kws import credentials
from pipeline import source


@contextlib.contextmanager
def source_bar(console: Console) -> Iterator[source.Progress]:
    """Says what there is to do and about how long it takes, then shows how far it is.

    On a terminal this is a bar; in a log, a line for every tenth of the time.
    """
    columns = (
        TextColumn("  {task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}, {task.fields[left]}", markup=False),
    )
    # Where there is no terminal, it would leave an empty line.
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        tasks: dict[str, TaskID] = {}
        tenths: dict[str, int] = {}

        def update(
            done: int,
            total: int,
            seconds: float,
            what: str = "Voices",
            unit: str = "clips",
            *,
            remaining_s: float | None = None,
        ) -> None:
            if remaining_s is None and 0 < done < total:
                remaining_s = seconds * (total - done) / done
            timed = remaining_s is not None and done < total
            left = f"{duration(remaining_s or 0)} left" if timed else ""
            if what not in tasks:
                if total and done >= total:
                    return  # all of it is there
                tasks[what] = bar.add_task(what, visible=False, unit=unit, left=left)
                if timed:
                    plan = f"{total - done} {unit} to make, {duration(remaining_s or 0)}"
                    console.print(f"  {what}: {plan}", highlight=False)
            bar.update(
                tasks[what], completed=done, total=total or None, visible=done < total, left=left
            )
            if console.is_terminal or not total:
                return
            # Clips of one engine take a hundred times as long as another's.
            part = done / total if not remaining_s else seconds / (seconds + remaining_s)
            if int(part * 10) > tenths.get(what, 0):
                tenths[what] = int(part * 10)
                progress = f"{done} of {total} {unit}, {seconds:.0f} s"
                console.print(f"  {what}: {progress}{', ' if left else ''}{left}", highlight=False)

        yield update


def duration(seconds: float) -> str:
    """`about 40 s`, `about 3 min`, `about 2.5 h`."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"


_ANNOUNCEMENT = re.compile(r"Component (\S+) is (running|finished)\.")
_LATEST_LINE = 100
OURS = ("kws", "components", "pipeline")
"""The packages whose log lines are shown beside the running component."""
_KEPT = "kws.training.fit.device"
"""The logger whose line stays on the screen: what trains."""


class StepFollower(logging.Handler):
    """Prints a line when a component has finished, and what it does meanwhile on a terminal.

    Attributes:
      seconds: wall time by component, in order of execution.
    """

    def __init__(self, console: Console):
        super().__init__(logging.INFO)
        self.seconds: dict[str, float] = {}
        self._console = console
        self._status: Status | None = None
        self._name = ""
        self._started = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        announcement = _ANNOUNCEMENT.fullmatch(message)
        if announcement is None:
            if record.name == _KEPT:
                self._console.print(f"  {message}", highlight=False)
            if self._status is not None and record.name.startswith(OURS):
                latest = message.strip().splitlines()[0][:_LATEST_LINE] if message.strip() else ""
                self._status.update(Text(f"{self._name}: {latest}"))
            return
        name, event = announcement.groups()
        if event == "running":
            self._begin(name)
        else:
            self._end()

    def _begin(self, name: str) -> None:
        self._name, self._started = name, time.monotonic()
        if self._console.is_terminal:
            self._status = self._console.status(name)
            self._status.start()

    def _end(self) -> None:
        self.stop()
        self.seconds[self._name] = time.monotonic() - self._started
        self._console.print(f"  {self._name:<22}{self.seconds[self._name]:8.1f} s", highlight=False)

    def stop(self) -> None:
        """Takes the live line off the terminal."""
        if self._status is not None:
            self._status.stop()
            self._status = None


@contextlib.contextmanager
def log_file(folder: Path, verbose: bool = False) -> Iterator[Path]:
    """Sends every log line to a new file of the folder, and to the console only if asked."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{datetime.datetime.now():%Y%m%d-%H%M%S}.log"
    handler = logging.FileHandler(log)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
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


class _Redacting(logging.Formatter):
    """Libraries log the addresses that they open: what looks like a credential is left out."""

    def format(self, record: logging.LogRecord) -> str:
        return credentials.redacted(super().format(record))


def _descriptor(handler: logging.FileHandler) -> int:
    assert handler.stream is not None  # opened by the constructor, as delay is not asked for
    return handler.stream.fileno()
