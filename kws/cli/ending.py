"""How a command comes to its end before its time: Ctrl+C, or the SIGTERM of whoever started it."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

SIGNALLED = 128
"""What a shell adds to a signal's number for the exit status: 130 of Ctrl+C, 143 of SIGTERM."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN_S, LAST_S = 5.0, 30.0
"""How long after a signal it is raised once more, and the process left as it is."""


class Stop:
    """Which signal has come, if any, and what happens then.

    The first one is raised as a KeyboardInterrupt, so that temporary files go. Where it comes while
    C code calls Python back (a finalizer, a callback) Python drops it; so it is raised again until
    the verb has ended, and in the end the process leaves. A second signal ends it at once.

    Attributes:
      number: of the first one.
    """

    number: int | None = None

    def __init__(self, say: Callable[[int], None]):
        """Args: say: prints the line about a signal."""
        self._say = say
        self._began_s = 0.0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The handler."""
        self.number = number
        self._began_s = time.monotonic()
        for one in SIGNALS:
            signal.signal(one, self._leave)
        signal.signal(signal.SIGALRM, self._again)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S, AGAIN_S)
        raise KeyboardInterrupt

    def _again(self, number: int, frame: FrameType | None) -> None:
        if time.monotonic() - self._began_s > LAST_S:
            self._leave(number, frame)
        raise KeyboardInterrupt

    def _leave(self, number: int, frame: FrameType | None) -> None:
        assert self.number is not None
        # Or, on a busy machine, the next one would come while this one is still at work.
        signal.setitimer(signal.ITIMER_REAL, 0)
        for one in SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        self._say(self.number)
        os._exit(SIGNALLED + self.number)


@contextlib.contextmanager
def noted(say: Callable[[int], None]) -> Iterator[Stop]:
    """For the length of a verb, either signal ends it; tells which it was.

    A SIGINT that a shell has its background jobs ignore stays ignored.

    Args:
      say: prints a line about a signal, by its number, where nobody else will.
    """
    stop = Stop(say)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (*SIGNALS, signal.SIGALRM)}
    for number in SIGNALS:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield stop
    finally:
        if stop.number is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def at_a_signal() -> Iterator[None]:
    """Ends its block, quietly, at Ctrl+C or SIGTERM: of a command that serves until then.

    SIGINT is asked for by name: a shell has it ignored in what it starts in the background.
    """
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
