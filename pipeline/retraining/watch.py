"""The loop: a pass, a while, a pass, until somebody ends it.

Each pass is a process of its own: whatever TensorFlow has leaked, or an out-of-memory kill, ends
with it, and the loop goes on. A pass that fails is tried again after twice the time, then four
times, up to six hours.

SIGTERM and SIGINT end the loop between passes: a pass that is going on comes to its verdict first.
Said twice, it is ended too; nothing partial is served or recorded then, as the push is one step and
the record another, and the next pass goes on where this one was.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType

BUSY = 75
"""Exit status of a pass that found another one at work (sysexits.h: EX_TEMPFAIL)."""
REFUSED = 2
_LONGEST_S = 6 * 3600.0


class Watch:
    """Runs passes until it is told to stop."""

    def __init__(self, command: Sequence[str], every_s: float, say: Callable[[str], None]):
        """Args:
        command: of one pass. Exit status 0 and 2: it came to its end; BUSY: another goes on;
          anything else: it failed.
        every_s: seconds from the end of a pass to the next.
        say: told what a person who reads the log should know.
        """
        self._command = list(command)
        self._every_s = every_s
        self._say = say
        self._stop = threading.Event()
        self._running: subprocess.Popen[bytes] | None = None
        self._failures = 0

    def run(self) -> None:
        """Returns once it was told to stop; the signals' handlers are as before then."""
        before = {
            number: signal.signal(number, self._told_to_stop)
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            while not self._stop.is_set():
                delay_s = self._after(self._pass())
                self._stop.wait(delay_s)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        self._say("stopped")

    def _pass(self) -> int:
        # Not of this process group: Ctrl-C is for the loop, which lets the pass end.
        self._running = subprocess.Popen(
            self._command, start_new_session=True, stdout=_standard_output()
        )
        try:
            return self._running.wait()
        finally:
            self._running = None

    def _after(self, status: int) -> float:
        """How long to wait after a pass with this exit status."""
        if status in (0, REFUSED, BUSY):
            self._failures = 0
            return self._every_s
        if self._stop.is_set():
            return 0.0
        self._failures += 1
        longest_s = max(_LONGEST_S, self._every_s)
        delay_s = min(self._every_s * 2 ** min(self._failures, 30), longest_s)
        how = f"exit status {status}" if status > 0 else f"signal {-status}"
        self._say(f"a pass failed ({how}), number {self._failures}; again in {_said(delay_s)}")
        return delay_s

    def _told_to_stop(self, number: int, frame: FrameType | None) -> None:
        again = self._stop.is_set()
        self._stop.set()
        running = self._running
        if running is None:
            return
        if again:
            os.killpg(running.pid, signal.SIGTERM)
        else:
            self._say("told to stop: the pass that is going on comes to its end first")


def _said(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def _standard_output() -> int | None:
    """Where `sys.stdout` writes; a verb redirects descriptor 1 (pipeline/cli/common.py)."""
    try:
        return sys.stdout.fileno()
    except (OSError, AttributeError):
        return None  # a test has put its own in the place
