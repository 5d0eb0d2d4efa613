"""How a command that serves until somebody ends it comes to its end."""

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def at_a_signal() -> Iterator[None]:
    """Ends its block, quietly, at Ctrl+C or SIGTERM.

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
