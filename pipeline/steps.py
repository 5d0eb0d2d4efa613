"""Follows a local run as it goes: which component runs, what it says, how long it took.

TFX's local runner announces its components in the log and by no other means, so the follower is a
log handler. Lines of our own code are shown beside the running component.
"""

import logging
import re
import time

from rich.console import Console
from rich.status import Status
from rich.text import Text

_ANNOUNCEMENT = re.compile(r"Component (\S+) is (running|finished)\.")
_LATEST_LINE = 100
OURS = ("kws", "components", "pipeline")
"""The packages whose log lines are shown beside the running component."""
_KEPT = "kws.training.device"
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
