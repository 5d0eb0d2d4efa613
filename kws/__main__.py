"""The `kws` command: `python -m kws`, and what the script of that name starts.

Loading the command takes a moment; a Ctrl+C in it finds nothing to clean up, and ends it quietly.
"""

import os
import signal
import sys


def main() -> None:
    """Loads the command line and runs it."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)
    from pipeline.cli import main as run

    try:
        run()
    finally:
        # Whoever is impatient while the libraries end themselves wants no traceback of it.
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _leave(number: int, frame: object) -> None:
    sys.stderr.write("kws: stopped by SIGINT\n")
    sys.stderr.flush()
    os._exit(128 + number)


if __name__ == "__main__":
    main()
