"""How a command comes to its end before its time: Ctrl+C, or the SIGTERM of whoever started it."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Which signal has come, if any.

    Attributes:
      number: of the first one.
    """

    number: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The handler: unwinds, so that temporary files go; a second signal ends it at once."""
        self.number = self.number or number
        for one in SIGNALS:
            signal.signal(one, signal.SIG_DFL)
        raise KeyboardInterrupt


@contextlib.contextmanager
def noted() -> Iterator[Stop]:
    """For the length of a verb, either signal is a KeyboardInterrupt; tells which it was.

    A SIGINT that a shell has its background jobs ignore stays ignored.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield stop
    finally:
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
